// Plays the server for one run: keeps its history, hands out workflow tasks, turns the commands that come back into events. In memory and
// without time: timers fire when the test says so.
import { temporal } from '@temporalio/proto';
import Long from 'long';
import { expect } from 'vitest';
import type { HistoryEvent, Payload } from '../../../worker-sdk/definitions/api.js';
import { defaultPayloadConverter as converter } from '../../../worker-sdk/payload/payload-converter.js';
import type { WorkflowHost, WorkflowTask, WorkflowTaskCompletion, WorkflowTaskOutcome } from '../../../worker-sdk/replay/workflow-host.js';

const { EventType, CommandType } = temporal.api.enums.v1;
type Command = temporal.api.command.v1.ICommand;
type Message = temporal.api.protocol.v1.IMessage;

export const payloads = (...values: unknown[]): { payloads: Payload[] } => ({ payloads: values.map((value) => converter.toPayload(value)) });
export const firstValue = (list: { payloads?: Payload[] | null } | null | undefined): unknown =>
  list?.payloads?.[0] ? converter.fromPayload(list.payloads[0]) : undefined;

let runs = 0;

export interface DriverOptions {
  runId?: string;
  workflowId?: string;
  /** Send each task the whole history, as to a worker that forgot the run. */
  full?: boolean;
  taskTimeoutMs?: number;
}

export class HistoryDriver {
  readonly events: HistoryEvent[] = [];
  readonly workflowId: string;
  readonly runId: string;
  /** Milliseconds since 1970; advances by a second with each event. */
  nowMs = Date.UTC(2030, 0, 1);
  sentUpTo = 0;
  previousStarted = 0;
  lastCompletion: WorkflowTaskCompletion | undefined;
  full: boolean;
  #messages: Message[] = [];
  #appliedUpTo = 0;

  constructor(
    private readonly host: WorkflowHost,
    readonly workflowType: string,
    args: unknown[] = [],
    options: DriverOptions = {},
  ) {
    this.workflowId = options.workflowId ?? `w-${++runs}`;
    this.runId = options.runId ?? `01890000-0000-7000-8000-${String(++runs).padStart(12, '0')}`;
    this.full = options.full ?? false;
    this.add('WORKFLOW_EXECUTION_STARTED', {
      workflowExecutionStartedEventAttributes: {
        workflowType: { name: workflowType },
        taskQueue: { name: 'tq' },
        input: args.length > 0 ? payloads(...args) : undefined,
        workflowTaskTimeout: { seconds: Long.fromNumber(Math.floor((options.taskTimeoutMs ?? 10_000) / 1000)), nanos: ((options.taskTimeoutMs ?? 0) % 1000) * 1e6 },
        originalExecutionRunId: this.runId,
        firstExecutionRunId: this.runId,
        attempt: 1,
      },
    });
  }

  add(type: string, attributes: Partial<HistoryEvent> = {}): number {
    this.nowMs += 1000;
    const eventId = this.events.length + 1;
    const seconds = Math.floor(this.nowMs / 1000);
    this.events.push({
      eventId: Long.fromNumber(eventId),
      eventTime: { seconds: Long.fromNumber(seconds), nanos: (this.nowMs % 1000) * 1e6 },
      eventType: EventType[`EVENT_TYPE_${type}` as keyof typeof EventType] as number,
      ...attributes,
    });
    return eventId;
  }

  /** Id of the last event of a type, counted from the end. */
  lastEvent(type: string): number {
    const number = EventType[`EVENT_TYPE_${type}` as keyof typeof EventType];
    return this.events.findLastIndex(({ eventType }) => eventType === number) + 1;
  }

  signal(name: string, ...args: unknown[]): this {
    this.add('WORKFLOW_EXECUTION_SIGNALED', { workflowExecutionSignaledEventAttributes: { signalName: name, input: payloads(...args) } });
    return this;
  }

  requestCancel(): this {
    this.add('WORKFLOW_EXECUTION_CANCEL_REQUESTED', { workflowExecutionCancelRequestedEventAttributes: {} });
    return this;
  }

  fireTimer(timerId = '1'): this {
    const startedEventId = this.#commandEvent((event) => event.timerStartedEventAttributes?.timerId === timerId);
    this.add('TIMER_FIRED', { timerFiredEventAttributes: { timerId, startedEventId: Long.fromNumber(startedEventId) } });
    return this;
  }

  completeActivity(result: unknown, activityId = '1'): this {
    const scheduledEventId = Long.fromNumber(this.#commandEvent((event) => event.activityTaskScheduledEventAttributes?.activityId === activityId));
    const startedEventId = Long.fromNumber(this.add('ACTIVITY_TASK_STARTED', { activityTaskStartedEventAttributes: { scheduledEventId } }));
    this.add('ACTIVITY_TASK_COMPLETED', {
      activityTaskCompletedEventAttributes: { scheduledEventId, startedEventId, result: payloads(result) },
    });
    return this;
  }

  /** Sends an update with the next task. */
  update(id: string, name: string, ...args: unknown[]): this {
    const request = { meta: { updateId: id, identity: 'test' }, input: { name, args: payloads(...args) } };
    this.#messages.push({
      id: `${id}/request`,
      protocolInstanceId: id,
      body: {
        type_url: 'type.googleapis.com/temporal.api.update.v1.Request',
        value: temporal.api.update.v1.Request.encode(request).finish(),
      },
    });
    return this;
  }

  /** Hands out a task and applies the answer. */
  async task(queries?: WorkflowTask['queries']): Promise<WorkflowTaskCompletion> {
    const outcome = await this.rawTask(queries);
    if (outcome.kind !== 'completed') throw new Error(`The task was not completed: ${JSON.stringify(outcome)}`);
    this.#apply(outcome.completion);
    return outcome.completion;
  }

  async rawTask(queries?: WorkflowTask['queries']): Promise<WorkflowTaskOutcome> {
    return this.host.handleTask(this.nextTask(queries), this.fetch);
  }

  /** The task to be handed out next, for tests that do so themselves. */
  nextTask(queries?: WorkflowTask['queries']): WorkflowTask {
    const scheduled = this.add('WORKFLOW_TASK_SCHEDULED', { workflowTaskScheduledEventAttributes: {} });
    const started = this.add('WORKFLOW_TASK_STARTED', {
      workflowTaskStartedEventAttributes: { scheduledEventId: Long.fromNumber(scheduled), historySizeBytes: Long.fromNumber(started0(this)) },
    });
    const messages = this.#messages.map((message) => ({ ...message, eventId: Long.fromNumber(started - 1) }));
    this.#messages = [];
    return { ...this.#head(), startedEventId: Long.fromNumber(started), messages, queries };
  }

  /** A lone query, without a task. */
  async query(type: string, ...args: unknown[]): Promise<unknown> {
    const events = this.full ? this.events : [];
    const task = { ...this.#head(), history: { events }, query: { queryType: type, queryArgs: payloads(...args) } };
    const outcome = await this.host.handleTask(task, this.fetch);
    if (outcome.kind !== 'query') throw new Error(`Expected an answer to a query, got ${JSON.stringify(outcome)}`);
    if (outcome.answer.completedType !== 1) throw new Error(outcome.answer.errorMessage ?? 'failed');
    return firstValue(outcome.answer.queryResult);
  }

  readonly fetch = async () => ({ history: { events: this.events } });

  /** Replays what there is in a fresh run: it must match. */
  async replay(): Promise<void> {
    const { error } = await this.host.replayHistory({ events: this.events }, this.workflowId);
    if (error) throw error;
  }

  /** Ids of timers or activities that are neither over nor cancelled. */
  pending(what: 'timer' | 'activity'): string[] {
    const open = new Map<number, string>();
    this.events.forEach((event, index) => {
      const id = index + 1;
      const begun = what === 'timer' ? event.timerStartedEventAttributes?.timerId : event.activityTaskScheduledEventAttributes?.activityId;
      if (begun) open.set(id, begun);
      const over =
        what === 'timer'
          ? (event.timerFiredEventAttributes?.startedEventId ?? event.timerCanceledEventAttributes?.startedEventId)
          : event.activityTaskCompletedEventAttributes?.scheduledEventId;
      if (over) open.delete(Number(over));
    });
    return [...open.values()];
  }

  get closed(): boolean {
    return /COMPLETED|FAILED|CANCELED|CONTINUED/.test(this.#lastRunEvent());
  }

  get cancelRequested(): boolean {
    return this.events.some((event) => event.workflowExecutionCancelRequestedEventAttributes);
  }

  /** The history up to the last completed task: what a worker can be asked to replay. */
  get completedEvents(): HistoryEvent[] {
    return this.events.slice(0, this.#appliedUpTo);
  }

  #lastRunEvent(): string {
    const name = EventType[this.events.at(-1)?.eventType ?? 0] ?? '';
    return name.startsWith('EVENT_TYPE_WORKFLOW_EXECUTION_') ? name.replace('EVENT_TYPE_WORKFLOW_EXECUTION_', '').replace(/^(UPDATE|CANCEL_REQ).*/, '') : '';
  }

  /** The result that the workflow completed with. */
  get result(): unknown {
    const event = this.events.at(-1)!;
    expect(EventType[event.eventType!]).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED');
    return firstValue(event.workflowExecutionCompletedEventAttributes?.result);
  }

  #head(): WorkflowTask {
    const events = this.events.slice(this.full ? 0 : this.sentUpTo);
    this.sentUpTo = this.events.length;
    return {
      taskToken: new Uint8Array([1]),
      workflowExecution: { workflowId: this.workflowId, runId: this.runId },
      workflowType: { name: this.workflowType },
      previousStartedEventId: Long.fromNumber(this.previousStarted),
      attempt: 1,
      history: { events },
    };
  }

  #apply(completion: WorkflowTaskCompletion): void {
    this.lastCompletion = completion;
    const started = this.events.length;
    this.previousStarted = started;
    this.add('WORKFLOW_TASK_COMPLETED', {
      workflowTaskCompletedEventAttributes: {
        scheduledEventId: Long.fromNumber(started - 1),
        startedEventId: Long.fromNumber(started),
        sdkMetadata: completion.sdkMetadata,
      },
    });
    for (const command of completion.commands ?? []) this.#applyCommand(command, completion.messages ?? []);
    this.#appliedUpTo = this.events.length;
  }

  #applyCommand(command: Command, messages: Message[]): void {
    const c = command;
    switch (c.commandType) {
      case CommandType.COMMAND_TYPE_START_TIMER:
        this.add('TIMER_STARTED', { timerStartedEventAttributes: c.startTimerCommandAttributes as object });
        return;
      case CommandType.COMMAND_TYPE_CANCEL_TIMER: {
        const { timerId } = c.cancelTimerCommandAttributes!;
        const startedEventId = Long.fromNumber(this.#commandEvent((event) => event.timerStartedEventAttributes?.timerId === timerId));
        this.add('TIMER_CANCELED', { timerCanceledEventAttributes: { timerId, startedEventId } });
        return;
      }
      case CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
        this.add('ACTIVITY_TASK_SCHEDULED', { activityTaskScheduledEventAttributes: c.scheduleActivityTaskCommandAttributes as object });
        return;
      case CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
        this.add('ACTIVITY_TASK_CANCEL_REQUESTED', {
          activityTaskCancelRequestedEventAttributes: c.requestCancelActivityTaskCommandAttributes as object,
        });
        return;
      case CommandType.COMMAND_TYPE_RECORD_MARKER:
        this.add('MARKER_RECORDED', { markerRecordedEventAttributes: c.recordMarkerCommandAttributes as object });
        return;
      case CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
        this.add('UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', {
          upsertWorkflowSearchAttributesEventAttributes: c.upsertWorkflowSearchAttributesCommandAttributes as object,
        });
        return;
      case CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
        this.add('WORKFLOW_PROPERTIES_MODIFIED', {
          workflowPropertiesModifiedEventAttributes: c.modifyWorkflowPropertiesCommandAttributes as object,
        });
        return;
      case CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
        this.add('WORKFLOW_EXECUTION_COMPLETED', {
          workflowExecutionCompletedEventAttributes: c.completeWorkflowExecutionCommandAttributes as object,
        });
        return;
      case CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
        this.add('WORKFLOW_EXECUTION_FAILED', { workflowExecutionFailedEventAttributes: c.failWorkflowExecutionCommandAttributes as object });
        return;
      case CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
        this.add('WORKFLOW_EXECUTION_CANCELED', { workflowExecutionCanceledEventAttributes: {} });
        return;
      case CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
        this.add('WORKFLOW_EXECUTION_CONTINUED_AS_NEW', {
          workflowExecutionContinuedAsNewEventAttributes: c.continueAsNewWorkflowExecutionCommandAttributes as object,
        });
        return;
      case CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE:
        this.#applyMessage(messages.find(({ id }) => id === c.protocolMessageCommandAttributes?.messageId)!);
        return;
      default:
        throw new Error(`The driver does not know ${CommandType[c.commandType ?? 0]}`);
    }
  }

  #applyMessage(message: Message): void {
    const value = message.body!.value as Uint8Array;
    if (message.id?.endsWith('/accept')) {
      const { acceptedRequestMessageId, acceptedRequestSequencingEventId, acceptedRequest } = temporal.api.update.v1.Acceptance.decode(value);
      this.add('WORKFLOW_EXECUTION_UPDATE_ACCEPTED', {
        workflowExecutionUpdateAcceptedEventAttributes: {
          protocolInstanceId: message.protocolInstanceId,
          acceptedRequestMessageId,
          acceptedRequestSequencingEventId,
          acceptedRequest,
        },
      });
    } else {
      const { meta, outcome } = temporal.api.update.v1.Response.decode(value);
      this.add('WORKFLOW_EXECUTION_UPDATE_COMPLETED', { workflowExecutionUpdateCompletedEventAttributes: { meta, outcome } });
    }
  }

  #commandEvent(matches: (event: HistoryEvent) => boolean): number {
    return this.events.findLastIndex(matches) + 1;
  }
}

function started0(driver: HistoryDriver): number {
  return driver.events.length * 100;
}
