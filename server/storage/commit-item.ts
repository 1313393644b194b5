/** What one transition writes, as the committer gathers it: all of it or nothing. */
import type { TakenOver } from '../core/effect.js';
import type { OutboxMessage } from '../core/message.js';
import type { Approval, RunState } from '../core/run-state.js';

export interface RunWrite {
  state: RunState;
  /** Version that was read; 0 = the run is new. */
  expectedVersion: number;
  /** The run had ended before. */
  closedBefore: boolean;
  /** A new run whose workflow id must never have been used before; else the item is a conflict. */
  firstOfWorkflow: boolean;
  /** Null leaves the column as it is (a deadline that only moved later). */
  deadlineMs: number | null;
  clearDeadline: boolean;
  infoChanged: boolean;
  memoChanged: boolean;
  searchAttributesChanged: boolean;
  /** The search attributes as JSON for the index; undefined when there are none. */
  indexed: Record<string, unknown> | undefined;
  /** Serialized History of the new events; undefined when there are none. */
  events: Uint8Array | undefined;
  firstEventId: number;
  lastEventId: number;
  /** Ids of further batches inside the row. */
  batchStarts: readonly number[];
}

export interface TaskWrite {
  namespaceId: string;
  kind: 1 | 2;
  queue: string;
  priority: number;
  /** Lower is taken first among those of the same priority. */
  place: number;
  /** Fairness key and the weight that the task states for it. */
  key: string;
  weight: number;
  runId: string;
  workflowId: string;
  eventId: number;
  stamp: number;
  /** This node keeps the task for its own pollers until then; 0 = for whoever comes. */
  claimUntilMs: number;
  /** Given by the commit, for tasks that this node keeps. */
  taskId?: number;
}

/** A request for approval that this transition opened (it has `asked`) or changed. */
export interface ApprovalWrite {
  run: RunState;
  approval: Approval;
}

/** The part of another run's history that a new run begins with. */
export interface HistoryCopy extends TakenOver {
  runId: string;
}

export interface CommitItem {
  runs: RunWrite[];
  copies: HistoryCopy[];
  tasks: TaskWrite[];
  /** Rows of `tasks` that this transition has taken. */
  takenTasks: number[];
  requests: { runId: string; requestId: string }[];
  /** Messages to other runs. */
  messages: OutboxMessage[];
  /** Outbox rows that this transition takes in; they must still be there. */
  takenMessages: string[];
  approvals: ApprovalWrite[];
}

/** `conflict`: somebody else was faster, load again. `duplicate`: a request id was taken before. `gone`: a message was taken in already. */
export type CommitResult = 'done' | 'conflict' | 'duplicate' | 'gone';
