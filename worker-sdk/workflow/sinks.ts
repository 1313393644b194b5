/** Sinks: calls out of the workflow that nobody waits for, made once the activation is over. */
import { currentRun } from './current-run.js';

/** A function of a sink: it returns nothing to the workflow. */
// biome-ignore lint/suspicious/noExplicitAny: sink functions take whatever their author declares.
export type SinkFunction = (...args: any[]) => void;
/** Functions of one sink. */
export type Sink = Record<string, SinkFunction>;
/** All sinks by name. */
export type Sinks = Record<string, Sink>;
export type { SinkCall } from './run-context.js';

/**
 * Functions that run in the worker, outside of the sandbox, after the activation. They return nothing, and what they do is not replayed.
 *
 * @example
 * ```ts
 * const { audit } = proxySinks<{ audit: { note(text: string): void } }>();
 * audit.note('paid');
 * ```
 */
export function proxySinks<T extends Sinks>(): T {
  return new Proxy({} as T, {
    get: (_sinks, ifaceName: string) =>
      new Proxy(
        {},
        {
          get: (_sink, fnName: string) => callSink.bind(undefined, ifaceName, fnName),
        },
      ),
  });
}

/** Queues a call. The arguments are copied, so that what the workflow does to them later does not matter. */
export function callSink(ifaceName: string, fnName: string, ...args: unknown[]): void {
  const run = currentRun('A function of proxySinks()');
  run.sinkCalls.push({ ifaceName, fnName, args: structuredClone(args), workflowInfo: run.info });
}
