/** The logger that workers, workflows and activities write to, and loggers that add attributes of their own. */

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

/** Attributes of a log entry. */
// biome-ignore lint/suspicious/noExplicitAny: attributes are whatever the caller wants to see in its log.
export type LogMetadata = Record<string | symbol, any>;

/** Where the SDK logs. Implement it over pino, winston or the like, and hand it to `Runtime.install({ logger })`. */
export interface Logger {
  /** Writes an entry at a level. */
  log(level: LogLevel, message: string, meta?: LogMetadata): unknown;
  /** Writes an entry at level TRACE. */
  trace(message: string, meta?: LogMetadata): unknown;
  /** Writes an entry at level DEBUG. */
  debug(message: string, meta?: LogMetadata): unknown;
  /** Writes an entry at level INFO. */
  info(message: string, meta?: LogMetadata): unknown;
  /** Writes an entry at level WARN. */
  warn(message: string, meta?: LogMetadata): unknown;
  /** Writes an entry at level ERROR. */
  error(message: string, meta?: LogMetadata): unknown;
  /** Whether entries of that level go anywhere. Without it, all do. */
  isEnabled?(level: LogLevel): boolean;
}

/** The part of the SDK an entry comes from, as attribute `sdkComponent`. */
export const SdkComponent = { workflow: 'workflow', activity: 'activity', worker: 'worker', core: 'core' } as const;
export type SdkComponent = (typeof SdkComponent)[keyof typeof SdkComponent];

/** What a log entry carries, or how to make it when the entry is written. */
export type LogMetaOrFunc = LogMetadata | (() => LogMetadata);

/** A logger over another one that adds attributes, which may be computed per entry. */
export class LoggerWithComposedMetadata implements Logger {
  /** A logger over `logger` that adds `metaOrFunc` to each entry. */
  static compose(logger: Logger, metaOrFunc: LogMetaOrFunc): Logger {
    return logger instanceof LoggerWithComposedMetadata
      ? new LoggerWithComposedMetadata(logger.parentLogger, [...logger.contributors, metaOrFunc])
      : new LoggerWithComposedMetadata(logger, [metaOrFunc]);
  }

  constructor(
    private readonly parentLogger: Logger,
    private readonly contributors: LogMetaOrFunc[],
  ) {}

  isEnabled(level: LogLevel): boolean {
    return this.parentLogger.isEnabled?.(level) ?? true;
  }

  /** Writes an entry at a level. */
  log(level: LogLevel, message: string, extraMeta?: LogMetadata): void {
    if (!this.isEnabled(level)) return;
    const parts = this.contributors.map((part) => (typeof part === 'function' ? part() : part));
    this.parentLogger.log(level, message, Object.assign({}, ...parts, extraMeta));
  }
  /** Writes an entry at level TRACE. */
  trace(message: string, extraMeta?: LogMetadata): void {
    this.log('TRACE', message, extraMeta);
  }
  /** Writes an entry at level DEBUG. */
  debug(message: string, extraMeta?: LogMetadata): void {
    this.log('DEBUG', message, extraMeta);
  }
  /** Writes an entry at level INFO. */
  info(message: string, extraMeta?: LogMetadata): void {
    this.log('INFO', message, extraMeta);
  }
  /** Writes an entry at level WARN. */
  warn(message: string, extraMeta?: LogMetadata): void {
    this.log('WARN', message, extraMeta);
  }
  /** Writes an entry at level ERROR. */
  error(message: string, extraMeta?: LogMetadata): void {
    this.log('ERROR', message, extraMeta);
  }
}
