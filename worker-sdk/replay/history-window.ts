/**
 * The events of a run that are not yet applied, cut into the pieces that one workflow task each was made of. A piece ends at the
 * WorkflowTaskStarted event whose task was completed, so that replay makes the same activations as the first execution did.
 */
import type { HistoryEvent } from '../definitions/api.js';
import { toNumber } from '../definitions/api.js';
import { abortsWorkflowTask, EventType, idOf, isCommandEvent, isFinalEvent } from './events.js';

interface PieceEnd {
  /** Index of the piece's last event. */
  index: number;
  complete: boolean;
}

export interface Piece {
  events: HistoryEvent[];
  /** Whether history ends with this piece. */
  last: boolean;
}

export class HistoryWindow {
  #events: HistoryEvent[] = [];
  /** Event ids have no gaps, so an id is the first one plus the index. */
  #firstId = 1;
  #start = 0;

  /**
   * @param previousStartedEventId Started event of the last workflow task that was completed, 0 for none
   * @param complete false while more pages can be fetched
   */
  constructor(
    events: readonly HistoryEvent[],
    readonly previousStartedEventId: number,
    public complete: boolean,
  ) {
    this.append(events, complete);
  }

  /** Appends a page, leaving out what is there already. Throws when events are missing in between. */
  append(events: readonly HistoryEvent[], complete: boolean): void {
    this.complete = complete;
    const first = events[0];
    if (!first) return;
    if (this.#events.length === 0) this.#firstId = idOf(first);
    const skip = Math.max(0, this.lastEventId + 1 - idOf(first));
    for (let i = skip; i < events.length; i++) {
      const id = idOf(events[i]!);
      if (id !== this.lastEventId + 1) throw new Error(`History has a gap: expected event ${this.lastEventId + 1}, got ${id}`);
      this.#events.push(events[i]!);
    }
  }

  get firstEventId(): number {
    return this.#firstId;
  }

  get lastEventId(): number {
    return this.#firstId + this.#events.length - 1;
  }

  /** Whether the next piece and, for what is read ahead, the one after it are here; otherwise a page must be fetched first. */
  canTake(startedEventId: number): boolean {
    if (this.complete) return true;
    const next = this.#findEnd(this.#indexAfter(startedEventId), startedEventId);
    return next.complete && this.#findEnd(next.index + 1, this.#firstId + next.index).complete;
  }

  /** Takes the piece after the given WorkflowTaskStarted event; `undefined` when there is nothing left. */
  take(startedEventId: number): Piece | undefined {
    this.#start = this.#indexAfter(startedEventId);
    if (this.#start >= this.#events.length) return undefined;
    const end = this.#findEnd(this.#start, startedEventId).index + 1;
    const events = this.#events.slice(this.#start, end);
    this.#start = end;
    const last = this.complete && end >= this.#events.length;
    this.#drop();
    return { events, last };
  }

  /** The piece that {@link take} would return, without taking it. */
  peek(startedEventId: number): HistoryEvent[] {
    const from = this.#indexAfter(startedEventId);
    if (from >= this.#events.length) return [];
    return this.#events.slice(from, this.#findEnd(from, startedEventId).index + 1);
  }

  /** The next WorkflowTaskCompleted event at or after an event id. */
  peekCompleted(fromEventId: number): HistoryEvent | undefined {
    for (let i = Math.max(this.#start, fromEventId - this.#firstId); i < this.#events.length; i++) {
      if (this.#events[i]!.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) return this.#events[i];
    }
    return undefined;
  }

  /** Frees taken events: in large steps while replaying, at once at the end. */
  #drop(): void {
    if (this.#start < 1024 && this.#start < this.#events.length) return;
    this.#events = this.#events.slice(this.#start);
    this.#firstId += this.#start;
    this.#start = 0;
  }

  #indexAfter(eventId: number): number {
    return Math.max(this.#start, eventId + 1 - this.#firstId);
  }

  #findEnd(from: number, afterEventId: number): PieceEnd {
    const events = this.#events;
    let sawCommand = false;
    let sawStart = false;
    /** Indexes of started events that count, for updates that name the event they were sequenced after. */
    const started: number[] = [];
    for (let index = Math.max(from, afterEventId + 1 - this.#firstId); index < events.length; index++) {
      const event = events[index]!;
      if (isCommandEvent(event)) sawCommand = true;
      if (event.eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED) sawStart = true;
      if (isFinalEvent(event)) return { index, complete: true };
      if (event.eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED) continue;
      const next = events[index + 1];
      if (next && abortsWorkflowTask(next)) continue;
      started.push(index);
      const completed = next?.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED;
      const afterNext = completed ? events[index + 2] : undefined;
      if (afterNext) {
        // A completion with nothing but the next task behind it is a heartbeat of local activities, not the end of a piece.
        if (!sawCommand && afterNext.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) continue;
        return { index: this.#acceptedUpdateEnd(afterNext, started) ?? index, complete: true };
      }
      if (sawCommand || sawStart) return { index, complete: true };
    }
    return { index: events.length - 1, complete: false };
  }

  /** An accepted update belongs to the piece of the last task that started before the event it was sequenced after. */
  #acceptedUpdateEnd(event: HistoryEvent, started: readonly number[]): number | undefined {
    const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
    if (!accepted) return undefined;
    const sequencedAfter = toNumber(accepted.acceptedRequestSequencingEventId);
    for (let i = started.length - 1; i >= 0; i--) if (this.#firstId + started[i]! < sequencedAfter) return started[i];
    return undefined;
  }
}
