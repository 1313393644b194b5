/** Functions that workflow code calls by `proxySinks`, and that run outside of the sandbox: for logs, metrics, traces. */
import type { Sink, SinkFunction, Sinks } from '../workflow/sinks.js';
import type { WorkflowInfo } from '../workflow/interfaces.js';

/** One function of a sink. Its result goes nowhere, so that workflow code cannot depend on it. */
export interface InjectedSinkFunction<F extends SinkFunction> {
  /** Called after the activation, in order. An error is logged and goes no further. @param info of the run as it was at the call */
  fn(info: WorkflowInfo, ...args: Parameters<F>): void | Promise<void>;
  /**
   * Whether to call it while history is replayed too. Without it a call may still happen twice, when a workflow task fails
   * or times out and runs again: use an activity for what must happen once. Default false.
   */
  callDuringReplay?: boolean;
}

/** All functions of a sink. */
export type InjectedSink<T extends Sink> = { [P in keyof T]: InjectedSinkFunction<T[P]> };

/**
 * All sinks of a worker.
 * @example
 * interface MySinks extends Sinks { book: { note(line: string): void } }
 * const sinks: InjectedSinks<MySinks> = { book: { note: { fn: (info, line) => console.log(info.workflowId, line) } } };
 */
export type InjectedSinks<T extends Sinks> = { [P in keyof T]: InjectedSink<T[P]> };
