/**
 * One transition under way: the state it works on, the events it has added, the effects it asks for.
 * The state is changed in place; when the turn throws or its commit loses, the state is thrown away with it.
 */
import { api, type Command, enums, type HistoryEvent, int64, toNumber, toTimestamp } from './api.js';
import { reorderBuffered } from './buffer-order.js';
import type { Effect } from './effect.js';
import { bytesOf } from './encode.js';
import { HistoryWriter } from './history-writer.js';
import { makeOrdinary } from './kinds/speculative-task.js';
import type { Limits } from './limits.js';
import type { Approval, RunState } from './run-state.js';

const EventCodec = api.history.v1.HistoryEvent;

/** What a turn takes from outside: the time, fresh ids, the limits, and the function that makes an event change the state. */
export interface TurnContext {
  readonly nowMs: number;
  readonly limits: Limits;
  /** Other nodes work on the same database: callers may wait there. */
  readonly otherNodes?: boolean;
  /** When the last outage ended, during which no worker could say anything; absent when there was none. */
  readonly reachableSinceMs?: number;
  /** A random id (request ids of our own). */
  newId(): string;
  /** A run id that sorts after every earlier run of the same workflow id. */
  newRunId(after?: string): string;
  /** How long the runs of a namespace are kept after their end. */
  retentionMs(namespaceId: string): number;
  apply(state: RunState, event: HistoryEvent): void;
  /** Types of a namespace's custom search attributes, as known here. */
  attributeTypes(namespace: string): Readonly<Record<string, number>>;
}

export class Turn {
  /** Events added by this turn, as the bytes of a History. */
  readonly written = new HistoryWriter();
  /** The same events as objects, for whoever builds an answer from them. */
  readonly events: HistoryEvent[] = [];
  /** Ids of events that begin a batch of their own, as readers page by batches. */
  readonly batchStarts: number[] = [];
  readonly effects: Effect[] = [];
  /** Request ids that this transition consumes: the commit refuses one that was seen before. */
  readonly requestIds: string[] = [];
  /** Messages that this transition takes in: the commit deletes their rows, and is refused when one is gone. */
  readonly takenMessages: string[] = [];
  infoChanged: boolean;
  memoChanged: boolean;
  private readonly firstSearchAttributes: Uint8Array | null;
  /** Set by anything that must be stored although it adds no event (an attempt, a heartbeat, an admitted update). */
  touched = false;
  readonly firstEventId: number;
  readonly historyBytesBefore: number;
  /** It had ended before this turn. */
  readonly closedBefore: boolean;
  /** Requests for approval as they were before. */
  readonly approvalsBefore: readonly Approval[];
  private batchOpen = false;
  /** While commands are carried out: what came of them besides their own events. */
  private aside: HistoryEvent[] | undefined;
  private extras: Pick<HistoryEvent, 'userMetadata' | 'eventGroupMarkers'> | undefined;

  constructor(
    readonly state: RunState,
    readonly context: TurnContext,
    /** The run begins with this turn. */
    readonly isNew = false,
  ) {
    this.firstEventId = state.nextEventId;
    this.historyBytesBefore = state.historyBytes;
    this.closedBefore = state.closeMs !== 0;
    this.approvalsBefore = isNew ? [] : state.approvals;
    this.infoChanged = isNew;
    this.memoChanged = isNew;
    this.firstSearchAttributes = state.searchAttributes;
  }

  get nowMs(): number {
    return this.context.nowMs;
  }
  get limits(): Limits {
    return this.context.limits;
  }
  get searchAttributesChanged(): boolean {
    return this.isNew || this.state.searchAttributes !== this.firstSearchAttributes;
  }
  get changed(): boolean {
    return this.touched || this.events.length > 0 || this.requestIds.length > 0 || this.takenMessages.length > 0;
  }

  /** Adds an event to the history: gives it its id and time, and lets it change the state. */
  append(event: HistoryEvent): HistoryEvent {
    Object.assign(event, this.extras);
    this.extras = undefined;
    this.place(event);
    this.context.apply(this.state, event);
    return event;
  }

  /** What a command says beside its attributes: it goes into the event that the command leads to, which is the next to be appended. */
  decorate({ userMetadata, eventGroupMarkers }: Command): void {
    this.extras = userMetadata || eventGroupMarkers?.length ? { userMetadata, eventGroupMarkers } : undefined;
  }

  /** Adds an event that happened outside a workflow task: while one is started it waits in the buffer, else it is appended. */
  emit(event: HistoryEvent): void {
    const { state } = this;
    makeOrdinary(this);
    if (!state.workflowTask?.startedEventId && !this.aside) {
      this.append(event);
      return;
    }
    event.eventTime ??= toTimestamp(this.nowMs);
    if (this.aside) this.aside.push(event);
    else this.buffer(event);
    this.context.apply(state, event);
  }

  /**
   * Carries out the commands of a workflow task. Their events follow each other without a gap, since workers reckon the ids of those to come;
   * what else comes of them is buffered behind what waits there, or dropped with it when they end the run.
   */
  carryOut(commands: () => void): void {
    const aside: HistoryEvent[] = [];
    this.aside = aside;
    commands();
    this.aside = undefined;
    if (this.state.closeMs === 0) for (const event of aside) this.buffer(event);
  }

  private buffer(event: HistoryEvent): void {
    const { state } = this;
    const bytes = bytesOf(EventCodec, event);
    state.buffered.push(bytes);
    state.bufferedBytes += bytes.length;
    this.touched = true;
  }

  /** Appends what waited in the buffer, giving ids; says whether anything was there. */
  flushBuffered(): boolean {
    const { state } = this;
    if (state.buffered.length === 0) return false;
    const events = reorderBuffered(this.buffered());
    state.buffered = [];
    state.bufferedBytes = 0;
    const startedIds = new Map<number, number>();
    for (const event of events) {
      fillStartedId(event, startedIds);
      this.place(event);
      noteStartedId(event, startedIds, state);
    }
    return true;
  }

  /** An event that this turn has appended. */
  appended(eventId: number): HistoryEvent | undefined {
    return this.events.find((event) => toNumber(event.eventId) === eventId);
  }

  /** What waits in the buffer, without ids. */
  buffered(): HistoryEvent[] {
    return this.state.buffered.map((bytes) => EventCodec.decode(bytes) as HistoryEvent);
  }

  /** Takes the first event of that kind out of the buffer: it never happened. */
  takeBuffered(matches: (event: HistoryEvent) => boolean): HistoryEvent | undefined {
    const { state } = this;
    const events = this.buffered();
    const at = events.findIndex(matches);
    if (at < 0) return undefined;
    const [bytes] = state.buffered.splice(at, 1);
    state.bufferedBytes -= bytes!.length;
    this.touched = true;
    return events[at];
  }

  /** What follows begins a new batch. */
  endBatch(): void {
    this.batchOpen = false;
  }

  effect(effect: Effect): void {
    this.effects.push(effect);
  }

  private place(event: HistoryEvent): void {
    const { state } = this;
    const id = state.nextEventId++;
    event.eventId = int64(id);
    event.taskId = int64(1_048_576 + id);
    event.eventTime ??= toTimestamp(this.nowMs);
    if (!this.batchOpen) {
      this.batchStarts.push(id);
      this.batchOpen = true;
    }
    this.events.push(event);
    state.historyBytes += this.written.add(event) + 3;
  }
}

const T = enums.EventType;

/** The started event's id inside a closing event that was buffered together with it. */
function fillStartedId(event: HistoryEvent, startedIds: Map<number, number>): void {
  const activity =
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes;
  if (activity) {
    const id = startedIds.get(toNumber(activity.scheduledEventId));
    if (id !== undefined) activity.startedEventId = int64(id);
    return;
  }
  const child =
    event.childWorkflowExecutionCompletedEventAttributes ??
    event.childWorkflowExecutionFailedEventAttributes ??
    event.childWorkflowExecutionCanceledEventAttributes ??
    event.childWorkflowExecutionTimedOutEventAttributes ??
    event.childWorkflowExecutionTerminatedEventAttributes;
  if (child) {
    const id = startedIds.get(toNumber(child.initiatedEventId));
    if (id !== undefined) child.startedEventId = int64(id);
  }
}

function noteStartedId(event: HistoryEvent, startedIds: Map<number, number>, state: RunState): void {
  const id = toNumber(event.eventId);
  if (event.eventType === T.EVENT_TYPE_ACTIVITY_TASK_STARTED) {
    startedIds.set(toNumber(event.activityTaskStartedEventAttributes!.scheduledEventId), id);
  } else if (event.eventType === T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) {
    const initiated = toNumber(event.childWorkflowExecutionStartedEventAttributes!.initiatedEventId);
    startedIds.set(initiated, id);
    const child = state.children[initiated];
    if (child) child.startedEventId = id;
  } else if (event.eventType === T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED) {
    const attached = event.workflowExecutionOptionsUpdatedEventAttributes?.attachedRequestId;
    if (attached && state.requestIds[attached]) state.requestIds[attached].eventId = id;
  }
}
