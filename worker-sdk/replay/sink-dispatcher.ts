/** Takes the calls that workflow code made through sinks out of the sandbox: logs, metrics, and the user's own. */
import type { Logger, LogMetadata } from '../definitions/logger.js';
import { type Metric, type MetricMeter, type MetricRecorder, type MetricTags, recorderInto } from '../definitions/metrics.js';
import { LOGGER_SINK } from '../workflow/logs.js';
import { METRICS_SINK } from '../workflow/metrics.js';
import type { SinkCall } from '../workflow/run-context.js';
import type { InjectedSinks } from './workflow-host.js';

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export class SinkDispatcher {
  readonly #record: MetricRecorder | undefined;

  constructor(
    private readonly logger: Logger,
    meter: MetricMeter | undefined,
    private readonly sinks: InjectedSinks,
  ) {
    this.#record = meter && recorderInto(meter);
  }

  dispatch(calls: readonly SinkCall[]): void {
    for (const call of calls) {
      try {
        this.#dispatchOne(call);
      } catch (error) {
        this.#complain(call, error);
      }
    }
  }

  #dispatchOne(call: SinkCall): void {
    const { ifaceName, fnName, args, workflowInfo } = call;
    const own = this.sinks[ifaceName]?.[fnName];
    if (own) {
      if (workflowInfo.unsafe.isReplayingHistoryEvents && !own.callDuringReplay) return;
      const result = (own.fn as (...all: unknown[]) => unknown)(workflowInfo, ...args);
      if (result instanceof Promise) result.catch((error: unknown) => this.#complain(call, error));
    } else if (ifaceName === LOGGER_SINK) {
      this.logger[fnName as Level](args[0] as string, args[1] as LogMetadata);
    } else if (ifaceName === METRICS_SINK) {
      this.#record?.(args[0] as Metric, args[1] as number, args[2] as MetricTags);
    } else {
      const { workflowId, runId } = workflowInfo;
      this.logger.error('Workflow referenced an unregistered external sink', { ifaceName, fnName, workflowId, runId });
    }
  }

  #complain({ ifaceName, fnName, workflowInfo }: SinkCall, error: unknown): void {
    const { workflowId, runId } = workflowInfo;
    this.logger.error('External sink function threw an error', { ifaceName, fnName, workflowId, runId, error });
  }
}
