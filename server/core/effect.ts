/** What the shell must do for a transition: in the same commit (rows) or right after it (wake-ups). The closed list. */
import type { Message } from './message.js';

export type Effect =
  /** The pending workflow task waits for a poller of its queue. */
  | { type: 'workflow-task-ready' }
  /** The present attempt of an activity waits for a poller of its queue. */
  | { type: 'activity-ready'; scheduledEventId: number }
  /** A message to another run, written in the same commit and delivered at least once. */
  | { type: 'message'; message: Message }
  /** A new run that begins in the same commit (continue-as-new, retry, cron, a child). */
  | { type: 'new-run'; turn: object };
