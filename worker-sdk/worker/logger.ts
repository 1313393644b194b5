/** The logger that is used when none is given: lines on stderr. */
import { inspect, types } from 'node:util';
import type { Logger, LogLevel, LogMetadata } from '../definitions/logger.js';

/** One entry, as {@link DefaultLogger}'s function gets it: `message`, `level`, and in `meta` what it is about. */
export interface LogEntry {
  message: string;
  level: LogLevel;
  /** When it was logged, nanoseconds since the epoch. */
  timestampNanos: bigint;
  meta?: LogMetadata;
}

/** Attribute under which an entry made elsewhere carries its own time, in nanoseconds since the epoch. */
export const LogTimestamp: unique symbol = Symbol.for('log_timestamp');

const SEVERITY: Record<LogLevel, number> = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4 };

/** How deep attributes are shown. */
const SHOWN_DEPTH = 4;

function logToStderr(entry: LogEntry): void {
  const { level, timestampNanos, message, meta } = entry;
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const shown = Object.fromEntries(Object.entries(meta ?? {}).map(([name, value]) => [name, ordinary(value)]));
  const attributes = Object.keys(shown).length > 0 ? ` ${inspect(shown, { breakLength: Number.POSITIVE_INFINITY, depth: SHOWN_DEPTH })}` : '';
  process.stderr.write(`${time} [${level}] ${message}${attributes}\n`);
}

/** Values of workflow code are of the sandbox's classes, which nothing outside knows how to show. */
function ordinary(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Object || depth > SHOWN_DEPTH) return value;
  if (types.isNativeError(value)) return ordinaryError(value, depth);
  if (Array.isArray(value)) return Array.from(value, (item) => ordinary(item, depth + 1));
  const { constructor: kind } = value as { constructor?: { name?: string } };
  return kind?.name === 'Object' ? ordinaryFields(value, depth) : value;
}

function ordinaryFields(value: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, ordinary(item, depth + 1)]));
}

function ordinaryError(value: Error, depth: number): Error {
  const { cause: _cause, ...fields } = ordinaryFields(value, depth);
  const { name, message, stack, cause } = value;
  // A class of that name, or it would be shown as another one that says it has the name.
  const Named = { [name]: class extends Error {} }[name]!;
  const error = Object.assign(new Named(message, cause === undefined ? undefined : { cause: ordinary(cause, depth + 1) }), fields);
  return Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true });
}

/** Writes entries of a level and above with a function; by default to stderr, from INFO. */
export class DefaultLogger implements Logger {
  private readonly severity: number;

  constructor(
    /** The lowest level that is written. */
    public readonly level: LogLevel = 'INFO',
    private readonly logFunction: (entry: LogEntry) => void = logToStderr,
  ) {
    this.severity = SEVERITY[level];
  }

  isEnabled(level: LogLevel): boolean {
    return SEVERITY[level] >= this.severity;
  }

  log(level: LogLevel, message: string, meta?: LogMetadata): void {
    if (!this.isEnabled(level)) return;
    const own = meta?.[LogTimestamp] as bigint | undefined;
    this.logFunction({ level, message, timestampNanos: own ?? BigInt(Date.now()) * 1_000_000n, meta });
  }
  trace(message: string, meta?: LogMetadata): void {
    this.log('TRACE', message, meta);
  }
  debug(message: string, meta?: LogMetadata): void {
    this.log('DEBUG', message, meta);
  }
  info(message: string, meta?: LogMetadata): void {
    this.log('INFO', message, meta);
  }
  warn(message: string, meta?: LogMetadata): void {
    this.log('WARN', message, meta);
  }
  error(message: string, meta?: LogMetadata): void {
    this.log('ERROR', message, meta);
  }
}
