/** The workflow's logger. Entries go to the worker's logger; while history is replayed they go nowhere. */
import type { LogLevel, LogMetadata } from '../definitions/logger.js';
import { currentRun } from './current-run.js';
import { isCancellation } from './errors.js';
import type { GetLogAttributesInput } from './interceptors.js';
import { ContinueAsNew } from './interfaces.js';
import type { RunContext } from './run-context.js';
import { currentUpdate } from './update-scope.js';

/** The sink behind {@link log}. */
export const LOGGER_SINK = '__temporal_logger';
/** Under this symbol an entry carries the time of the call, in nanoseconds since 1970. */
const LogTimestamp = Symbol.for('log_timestamp');

type Write = (message: string, attributes?: LogMetadata) => void;

/** Logs with the workflow's ids as attributes. Not written while history is replayed. */
export const log: Record<Lowercase<LogLevel>, Write> & { log(level: LogLevel, message: string, attributes?: LogMetadata): void } = {
  log: (level, message, attributes) => write(level.toLowerCase() as Lowercase<LogLevel>, message, attributes),
  trace: (message, attributes) => write('trace', message, attributes),
  debug: (message, attributes) => write('debug', message, attributes),
  info: (message, attributes) => write('info', message, attributes),
  warn: (message, attributes) => write('warn', message, attributes),
  error: (message, attributes) => write('error', message, attributes),
};

function write(level: Lowercase<LogLevel>, message: string, attributes?: LogMetadata): void {
  logFor(currentRun('log'), level, message, attributes);
}

/** Logs for a run, as {@link log} does for the current one. */
export function logFor(run: RunContext, level: Lowercase<LogLevel>, message: string, attributes?: LogMetadata): void {
  // Replay logs nothing: do not even make the entry.
  if (run.facts.unsafe.isReplayingHistoryEvents) return;
  if (run.init.isLogged?.(level.toUpperCase() as LogLevel) === false) return;
  const own = run.intercept(run.outbound, 'getLogAttributes', (input: GetLogAttributesInput) => input)(logAttributes(run));
  const meta = { [LogTimestamp]: run.init.timeOfDay(), sdkComponent: 'workflow', ...own, ...attributes };
  run.sinkCalls.push({ ifaceName: LOGGER_SINK, fnName: level, args: [message, meta], workflowInfo: run.info });
}

function logAttributes({ facts }: RunContext): Record<string, unknown> {
  const { namespace, taskQueue, workflowId, runId, workflowType } = facts;
  const update = currentUpdate();
  const attributes: Record<string, unknown> = { namespace, taskQueue, workflowId, runId, workflowType };
  if (update) {
    attributes.updateId = update.id;
    attributes.updateName = update.name;
  }
  return attributes;
}

/** Runs the workflow, and logs how it starts and ends. Adds one turn of the microtask queue at the end, as the field's SDK does. */
export function withLifecycleLog<T>(run: RunContext, fn: () => Promise<T>): Promise<T> {
  const note = (level: Lowercase<LogLevel>, message: string, error?: unknown) =>
    logFor(run, level, message, { sdkComponent: 'worker', ...(error === undefined ? {} : { error }) });
  note('debug', 'Workflow started');
  return fn().then(
    (result) => {
      note('debug', 'Workflow completed');
      return result;
    },
    (error) => {
      if (isCancellation(error)) note('debug', 'Workflow completed as cancelled');
      else if (error instanceof ContinueAsNew) note('debug', 'Workflow continued as new');
      else note('warn', 'Workflow failed', error);
      throw error;
    },
  );
}
