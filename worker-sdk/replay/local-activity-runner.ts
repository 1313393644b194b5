/** Executes the local activities of one run: attempts, pauses between them, timeouts, cancellation. The activity itself is the worker's to run. */
import type { ProtoFailure } from '../definitions/api.js';
import { optionalTsToMs } from '../definitions/duration.js';
import { CancelledFailure, TimeoutFailure } from '../payload/failure.js';
import type { TimeoutType } from '../payload/failure-enums.js';
import { encodeTimeoutType } from '../payload/failure-enums.js';
import { emptyCancellation, type LocalActivityMachine, type LocalActivityOutcome } from './kinds/local-activity.js';
import { localRetryDelayMs } from './local-retry-policy.js';
import type { LocalActivityResult, LocalActivityTask, RunLocalActivity } from './workflow-host.js';

const DEFAULT_RETRY_THRESHOLD_MS = 60_000;

export interface LocalActivityRun {
  workflowId: string;
  runId: string;
  workflowType: string;
  workflowNamespace: string;
}

interface Running {
  cancel(reason: CancelledFailure): void;
  leave(): void;
}

export class LocalActivityRunner {
  readonly #running = new Map<number, Running>();

  constructor(
    private readonly run: LocalActivityRun,
    private readonly runLocalActivity: RunLocalActivity,
    private readonly report: (seq: number, outcome: LocalActivityOutcome, runtimeMs: number) => void,
  ) {}

  start(machine: LocalActivityMachine): void {
    const { seq, schedule, originalScheduleTimeMs } = machine;
    const scheduleToCloseMs = optionalTsToMs(schedule.scheduleToCloseTimeout) || undefined;
    const execution = new Execution(machine, this.#taskOf(machine), this.runLocalActivity, (outcome, runtimeMs) => {
      if (this.#running.get(seq) !== execution) return;
      this.#running.delete(seq);
      this.report(seq, { ...outcome, originalScheduleTimeMs }, runtimeMs);
    });
    this.#running.set(seq, execution);
    execution.begin(scheduleToCloseMs === undefined ? undefined : originalScheduleTimeMs + scheduleToCloseMs);
  }

  cancel(seq: number): void {
    this.#running.get(seq)?.cancel(new CancelledFailure('CANCELLED'));
  }

  /** The run leaves the worker: what still runs is told (unless the run let go of it), and what comes of it is nobody's business. */
  abandonAll(): void {
    const running = [...this.#running.values()];
    this.#running.clear();
    for (const execution of running) execution.leave();
  }

  #taskOf({ schedule, originalScheduleTimeMs }: LocalActivityMachine): LocalActivityTask {
    const scheduleToCloseTimeoutMs = optionalTsToMs(schedule.scheduleToCloseTimeout) || undefined;
    const startToClose = optionalTsToMs(schedule.startToCloseTimeout) || undefined;
    return {
      ...this.run,
      activityId: schedule.activityId!,
      activityType: schedule.activityType!,
      input: schedule.arguments ?? [],
      header: schedule.headers ?? {},
      attempt: schedule.attempt ?? 1,
      scheduledTimeMs: originalScheduleTimeMs,
      currentAttemptScheduledTimeMs: Date.now(),
      startToCloseTimeoutMs: startToClose === undefined ? undefined : Math.min(startToClose, scheduleToCloseTimeoutMs ?? startToClose),
      scheduleToCloseTimeoutMs,
      scheduleToStartTimeoutMs: optionalTsToMs(schedule.scheduleToStartTimeout) || undefined,
      retryPolicy: schedule.retryPolicy ?? undefined,
    };
  }
}

/** One local activity, from its first attempt here to its end. */
class Execution implements Running {
  #attempt: number;
  #attemptController: AbortController | undefined;
  #attemptStartedMs = 0;
  #pause: NodeJS.Timeout | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  #over = false;
  #isLastAttempt = false;

  constructor(
    private readonly machine: LocalActivityMachine,
    private readonly task: LocalActivityTask,
    private readonly runLocalActivity: RunLocalActivity,
    private readonly end: (outcome: LocalActivityOutcome, runtimeMs: number) => void,
  ) {
    this.#attempt = task.attempt;
  }

  begin(closeAtMs: number | undefined): void {
    if (closeAtMs !== undefined) {
      const left = closeAtMs - Date.now();
      if (left <= 0) {
        setImmediate(() => this.#timeOut('SCHEDULE_TO_CLOSE'));
        return;
      }
      this.#closeTimer = setTimeout(() => this.#timeOut('SCHEDULE_TO_CLOSE'), left);
    }
    this.#startAttempt();
  }

  cancel(reason: CancelledFailure): void {
    if (this.#over) return;
    if (this.#pause) this.#finish(emptyCancellation(this.#attempt));
    // The activity itself answers; until then it runs.
    else this.#attemptController?.abort(reason);
  }

  leave(): void {
    if (!this.machine.isAbandoned) this.cancel(new CancelledFailure('WORKER_SHUTDOWN'));
    else if (this.#pause) this.#finish(emptyCancellation(this.#attempt));
    else this.#isLastAttempt = true;
  }

  #startAttempt(): void {
    const controller = new AbortController();
    this.#attemptController = controller;
    this.#attemptStartedMs = performance.now();
    const task = { ...this.task, attempt: this.#attempt, currentAttemptScheduledTimeMs: Date.now() };
    const limit = (ms: number | undefined, type: TimeoutType) =>
      ms === undefined ? undefined : setTimeout(() => this.#attemptTimedOut(controller, type), ms);
    let timer = limit(task.scheduleToStartTimeoutMs, 'SCHEDULE_TO_START');
    const started = () => {
      clearTimeout(timer);
      if (this.#attemptController === controller) timer = limit(task.startToCloseTimeoutMs, 'START_TO_CLOSE');
    };
    this.runLocalActivity(task, controller.signal, started).then(
      (result) => {
        clearTimeout(timer);
        if (this.#attemptController === controller) this.#attemptEnded(result);
      },
      (error: unknown) => {
        clearTimeout(timer);
        const failure = { message: error instanceof Error ? error.message : String(error), applicationFailureInfo: {} };
        if (this.#attemptController === controller) this.#attemptEnded({ kind: 'failed', failure });
      },
    );
  }

  #attemptTimedOut(controller: AbortController, type: TimeoutType): void {
    if (this.#over || this.#attemptController !== controller) return;
    // Another attempt would only wait in the same line.
    if (type === 'SCHEDULE_TO_START') {
      this.#timeOut(type);
      return;
    }
    controller.abort(new TimeoutFailure('Activity timed out', undefined, type));
    this.#attemptController = undefined;
    this.#retryOrFinish({ kind: 'timed out', failure: timeoutFailure(type), attempt: this.#attempt });
  }

  #attemptEnded(result: LocalActivityResult): void {
    if (this.#over) return;
    this.#attemptController = undefined;
    const attempt = this.#attempt;
    if (result.kind === 'completed') this.#finish({ kind: 'completed', result: result.result ?? {}, attempt });
    else if (result.kind === 'cancelled') this.#finish({ kind: 'cancelled', failure: result.failure, attempt });
    else this.#retryOrFinish({ kind: result.failure.timeoutFailureInfo ? 'timed out' : 'failed', failure: result.failure, attempt });
  }

  #retryOrFinish(outcome: LocalActivityOutcome): void {
    const delayMs = localRetryDelayMs(this.task.retryPolicy, this.#attempt, outcome.failure ?? undefined);
    if (delayMs === undefined || this.#isLastAttempt) {
      this.#finish(outcome);
      return;
    }
    const thresholdMs = optionalTsToMs(this.machine.schedule.localRetryThreshold) ?? DEFAULT_RETRY_THRESHOLD_MS;
    if (delayMs > thresholdMs) {
      this.#finish({ ...outcome, backoffMs: delayMs });
      return;
    }
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#attempt++;
      this.#startAttempt();
    }, delayMs);
  }

  #timeOut(type: TimeoutType): void {
    if (this.#over) return;
    this.#attemptController?.abort(new TimeoutFailure('Activity timed out', undefined, type));
    this.#attemptController = undefined;
    this.#finish({ kind: 'timed out', failure: timeoutFailure(type), attempt: this.#attempt });
  }

  #finish(outcome: LocalActivityOutcome): void {
    this.#over = true;
    clearTimeout(this.#pause);
    clearTimeout(this.#closeTimer);
    this.end(outcome, Math.max(0, performance.now() - this.#attemptStartedMs));
  }
}

function timeoutFailure(type: TimeoutType): ProtoFailure {
  return { message: 'Activity timed out', timeoutFailureInfo: { timeoutType: encodeTimeoutType(type) } };
}
