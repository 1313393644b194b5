/** What the shell must do for a transition: in the same commit (rows) or right after it (wake-ups). The closed list. */
import type { Failure, temporal } from './api.js';
import type { Message } from './message.js';

export type Effect =
  /** The pending workflow task waits for a poller of its queue. */
  | { type: 'workflow-task-ready' }
  /** The present attempt of an activity waits for a poller of its queue. */
  | { type: 'activity-ready'; scheduledEventId: number }
  /** A message to another run, written in the same commit and delivered at least once. */
  | { type: 'message'; message: Message }
  /** A new run that begins in the same commit (continue-as-new, retry, cron, a child, a reset). */
  | { type: 'new-run'; turn: object; takesOver?: TakenOver }
  /** Another run that changes in the same commit, provided that it is still at that version. */
  | { type: 'other-run'; turn: object; version: number; deadlineMs: number | null }
  /** An update got further: its callers are told. */
  | { type: 'update'; updateId: string; progress: UpdateProgress };

/** How far an update is. A refused one names the admission that it is about: the id may have been admitted again since. */
export type UpdateProgress =
  | { stage: 'accepted' }
  | { stage: 'completed'; outcome: temporal.api.update.v1.IOutcome }
  | { stage: 'rejected'; admission: number; failure: Failure | null | undefined }
  /** The workflow task that was to process it failed. */
  | { stage: 'dropped'; admission: number };

/** The part of another run's history that a new run begins with. */
export interface TakenOver {
  fromRunId: string;
  /** Rows that lie wholly before this event are copied as they are. */
  beforeEventId: number;
  /** What of the row that it lies in comes before it. */
  rest: { firstEventId: number; lastEventId: number; batchStarts: number[]; events: Uint8Array } | undefined;
}
