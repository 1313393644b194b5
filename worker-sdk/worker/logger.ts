/** The logger that is used when none is given: lines on stderr. */
import { inspect } from 'node:util';
import type { Logger, LogLevel, LogMetadata } from '../definitions/logger.js';

/** One entry, as {@link DefaultLogger}'s function gets it. */
export interface LogEntry {
  message: string;
  level: LogLevel;
  /** When it was logged, nanoseconds since the epoch. */
  timestampNanos: bigint;
  meta?: LogMetadata;
}

/** Attribute under which an entry made elsewhere carries its own time, in nanoseconds since the epoch. */
export const LogTimestamp: unique symbol = Symbol.for('__temporal_log_timestamp');

const SEVERITY: Record<LogLevel, number> = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4 };

function logToStderr(entry: LogEntry): void {
  const { level, timestampNanos, message, meta } = entry;
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const attributes =
    meta && Object.keys(meta).length > 0 ? ` ${inspect({ ...meta }, { breakLength: Number.POSITIVE_INFINITY, depth: 4 })}` : '';
  process.stderr.write(`${time} [${level}] ${message}${attributes}\n`);
}

/** Writes entries of a level and above with a function; by default to stderr, from INFO. */
export class DefaultLogger implements Logger {
  private readonly severity: number;

  constructor(
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
