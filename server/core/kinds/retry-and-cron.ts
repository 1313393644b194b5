/** Runs that begin again by themselves: the next attempt of a retry policy, the next time of a cron schedule. */
import { enums, type Failure, type HistoryEvent, type Payloads } from '../api.js';
import { cronBackoffMs, type CronSchedule, CronError, parseCron } from '../cron.js';
import { decideRetry } from '../retry-policy.js';
import type { Turn } from '../turn.js';
import { triggerCallbacks } from './callback.js';
import { beginNextRun, startedAs } from './next-run.js';

const INITIATOR = enums.ContinueAsNewInitiator;

/** The run that will follow. */
export interface Successor {
  runId: string;
  initiator: number;
  backoffMs: number;
}

/** What follows a failure or a run timeout: the retry policy comes first, then the schedule. */
export function afterFailure(turn: Turn, failure: Failure | null | undefined): { retryState: number; successor: Successor | undefined } {
  const { info } = turn.state;
  const decision = decideRetry(info.retry, { attempt: info.attempt, nowMs: turn.nowMs, expirationMs: info.executionExpirationMs, failure });
  if (!decision.retry) return { retryState: decision.state, successor: afterCompletion(turn) };
  return {
    retryState: enums.RetryState.RETRY_STATE_IN_PROGRESS,
    successor: {
      runId: turn.context.newRunId(info.runId),
      initiator: INITIATOR.CONTINUE_AS_NEW_INITIATOR_RETRY,
      backoffMs: decision.delayMs,
    },
  };
}

/** What follows a result: the next time of the schedule. */
export function afterCompletion(turn: Turn): Successor | undefined {
  const { info } = turn.state;
  const backoffMs = nextCronMs(info.cron, info.executionMs, turn.nowMs);
  if (backoffMs === undefined) return undefined;
  return { runId: turn.context.newRunId(info.runId), initiator: INITIATOR.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE, backoffMs };
}

/** How long until the schedule is due after the run that was due at `scheduledMs`; undefined when it never is. */
function nextCronMs(text: string, scheduledMs: number, nowMs: number): number | undefined {
  const schedule = readSchedule(text);
  return schedule && cronBackoffMs(schedule, scheduledMs, nowMs);
}

/** Continue-as-new takes any text for a schedule: one that cannot be read is never due. */
function readSchedule(text: string): CronSchedule | undefined {
  if (!text) return undefined;
  try {
    return parseCron(text);
  } catch (error) {
    if (error instanceof CronError) return undefined;
    throw error;
  }
}

/** How long the first run of a schedule waits for its first workflow task. */
export const firstCronMs = (text: string | null | undefined, nowMs: number): number => nextCronMs(text ?? '', nowMs, nowMs) ?? 0;

export interface Outcome {
  failure?: Failure | null | undefined;
  result?: Payloads | null | undefined;
}

/** Begins the run that follows, with what this one started with. A failure keeps the last result that there was. */
export function beginSuccessor(
  turn: Turn,
  started: HistoryEvent | undefined,
  { runId, initiator, backoffMs }: Successor,
  { failure, result }: Outcome,
): void {
  if (!started) throw new Error('a run with a retry policy or a schedule closes without its first event at hand');
  const isRetry = initiator === INITIATOR.CONTINUE_AS_NEW_INITIATOR_RETRY;
  if (!isRetry) triggerCallbacks(turn);
  const last = started.workflowExecutionStartedEventAttributes!.lastCompletionResult;
  beginNextRun(turn, {
    runId,
    initiator,
    attempt: isRetry ? turn.state.info.attempt + 1 : 1,
    backoffMs,
    callbacks: isRetry,
    attributes: { ...startedAs(started), lastCompletionResult: failure ? last : result, continuedFailure: failure },
  });
}
