/**
 * A worker without an SDK, which decides from the history that comes with each task. It notes every start of an activity and every event that it
 * was ever shown, so that both can be compared with what the database says at the end.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { api, enums, type HistoryEvent, type temporal, toNumber } from '../../server/core/api.js';
import { message, place } from '../helpers/updates.js';
import type { Calls } from './calls.js';

type WorkflowTask = temporal.api.workflowservice.v1.PollWorkflowTaskQueueResponse;
type ActivityTask = temporal.api.workflowservice.v1.PollActivityTaskQueueResponse;
type Command = temporal.api.command.v1.ICommand;

const TYPE = enums.EventType;
const COMMAND = enums.CommandType;
export const QUEUE = 'chaos';
export const TIMER_MS = 250;
export const SIGNALS = ['first', 'second', 'third'];
export const UPDATE = 'change';

export const json = (value: unknown): temporal.api.common.v1.IPayloads => ({
  payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) }],
});
const seconds = (n: number): { seconds: never; nanos: number } => ({ seconds: Math.floor(n) as never, nanos: Math.round((n % 1) * 1e9) });

export const digest = (event: HistoryEvent): string =>
  createHash('sha1').update(api.history.v1.HistoryEvent.encode(event).finish()).digest('base64');

export class ChaosWorker {
  /** Starts of each attempt of an activity: `run/activity/attempt` -> how often. */
  readonly starts = new Map<string, number>();
  /** What a run's history looked like when it was read: digests of its events from the first on. */
  readonly seen = new Map<string, string[]>();
  /** Histories that changed between two reads. */
  readonly changed: string[] = [];
  private readonly loops: Promise<void>[] = [];
  private stopped = false;

  constructor(
    private readonly calls: Calls,
    pollers = 4,
  ) {
    for (let i = 0; i < pollers; i++) this.loops.push(this.pollWorkflows(), this.pollActivities());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
  }

  private async pollWorkflows(): Promise<void> {
    while (!this.stopped) {
      const { response: task } = await this.calls.once<WorkflowTask>('PollWorkflowTaskQueue', { taskQueue: { name: QUEUE } }, 2_500);
      if (!task) await sleep(20);
      else if (task.taskToken.length > 0) await this.decide(task);
    }
  }

  private async decide(task: WorkflowTask): Promise<void> {
    const events = (task.history?.events ?? []) as HistoryEvent[];
    this.remember(task.workflowExecution!.runId!, events);
    const { workflowId } = task.workflowExecution!;
    const messages = (task.messages ?? []).flatMap((update) => [
      message.accept(update),
      message.respond(update, { success: json(workflowId) }),
    ]);
    const updated = messages.length > 0 || events.some((event) => event.workflowExecutionUpdateCompletedEventAttributes);
    const commands = task.workflowType?.name === 'Child' ? [complete('child')] : decide(events, workflowId!, updated);
    // NOT_FOUND: the task was answered before or has timed out; then there is another one
    await this.calls.surely('RespondWorkflowTaskCompleted', {
      taskToken: task.taskToken,
      commands: [...messages.map((m) => place(m.id)), ...commands],
      messages,
    });
  }

  private remember(runId: string, events: readonly HistoryEvent[]): void {
    const now = events.map(digest);
    const before = this.seen.get(runId) ?? [];
    // the last two are those of the task itself, which attempts that failed leave out of the history
    const settled = now.slice(0, -2);
    for (let i = 0; i < Math.min(settled.length, before.length); i++)
      if (settled[i] !== before[i]) this.changed.push(`${runId} event ${i + 1}`);
    if (settled.length > before.length) this.seen.set(runId, settled);
  }

  private async pollActivities(): Promise<void> {
    while (!this.stopped) {
      const { response: task } = await this.calls.once<ActivityTask>('PollActivityTaskQueue', { taskQueue: { name: QUEUE } }, 2_500);
      if (!task) await sleep(20);
      else if (task.taskToken.length > 0) await this.perform(task);
    }
  }

  private async perform(task: ActivityTask): Promise<void> {
    const key = `${task.workflowExecution!.runId}/${task.activityId}/${task.attempt}`;
    this.starts.set(key, (this.starts.get(key) ?? 0) + 1);
    const { taskToken } = task;
    if (task.activityId === 'retried' && task.attempt === 1) {
      await this.calls.surely('RespondActivityTaskFailed', {
        taskToken,
        failure: { message: 'the first attempt fails', applicationFailureInfo: { type: 'Once' } },
      });
    } else {
      await this.calls.surely('RespondActivityTaskCompleted', { taskToken, result: json(task.activityId) });
    }
  }
}

const complete = (result: unknown): Command => ({
  commandType: COMMAND.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result: json(result) },
});

const activity = (activityId: string, attempts: number, timeoutSeconds: number): Command => ({
  commandType: COMMAND.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId,
    activityType: { name: activityId },
    taskQueue: { name: QUEUE },
    startToCloseTimeout: seconds(timeoutSeconds),
    scheduleToCloseTimeout: seconds(600),
    retryPolicy: { maximumAttempts: attempts, initialInterval: seconds(0.1), backoffCoefficient: 1, maximumInterval: seconds(0.1) },
  },
});

const FIRST = (workflowId: string): Command[] => [
  activity('single', 1, 2),
  activity('retried', 0, 2),
  {
    commandType: COMMAND.COMMAND_TYPE_START_TIMER,
    startTimerCommandAttributes: { timerId: 'timer', startToFireTimeout: seconds(TIMER_MS / 1000) },
  },
  {
    commandType: COMMAND.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
    startChildWorkflowExecutionCommandAttributes: {
      workflowId: `${workflowId}-child`,
      workflowType: { name: 'Child' },
      taskQueue: { name: QUEUE },
      workflowTaskTimeout: seconds(2),
    },
  },
];

/** What the workflow does: everything at once, then it waits for all of it, for the signals and the update. */
function decide(events: readonly HistoryEvent[], workflowId: string, updated: boolean): Command[] {
  const has = (type: number): boolean => events.some((event) => event.eventType === type);
  if (!has(TYPE.EVENT_TYPE_TIMER_STARTED)) return FIRST(workflowId);
  const ended = events.filter(
    (e) => e.activityTaskCompletedEventAttributes ?? e.activityTaskTimedOutEventAttributes ?? e.activityTaskFailedEventAttributes,
  );
  const signals = events.flatMap((e) => e.workflowExecutionSignaledEventAttributes?.signalName ?? []);
  const child = has(TYPE.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED);
  if (ended.length < 2 || !has(TYPE.EVENT_TYPE_TIMER_FIRED) || !child || !updated || new Set(signals).size < SIGNALS.length) return [];
  const lost = ended
    .filter((e) => !e.activityTaskCompletedEventAttributes)
    .map((e) => toNumber(e.activityTaskTimedOutEventAttributes?.scheduledEventId));
  return [complete({ signals, lost: lost.length })];
}
