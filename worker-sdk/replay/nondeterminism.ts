/** The error for workflow code that no longer does what history says it did: one sentence each for what, where and what now. */
import type { HistoryEvent } from '../definitions/api.js';
import { type HistoryMismatch, locationIn } from '../definitions/mismatch.js';
import { eventName, idOf } from './events.js';

/** What is known where a difference is met. */
export interface Mismatch {
  /** What the code did, in the past tense; `undefined` when it did nothing more. */
  code: string | undefined;
  /** What history holds, for example `TimerStarted (timer 2)`. */
  history: string;
  event: HistoryEvent;
  /** Where the code did it, when known: `function (file:line:column)`. */
  issuedAt?: string;
  advice?: string;
}

const ADVICE =
  'The code, or what it decides by, changed since this run recorded that event. Put the change behind patched() so that running workflows keep ' +
  'the old path, run the old code in its own worker version until they end, or reset the workflow to a task before that event.';

/** Thrown when replay meets a difference between workflow code and history. Fails the workflow task, never the run. */
export class NondeterminismError extends Error {
  readonly mismatch: HistoryMismatch;

  constructor(private readonly met: Mismatch) {
    const { code, history, issuedAt, advice = ADVICE } = met;
    const eventId = idOf(met.event);
    const did = code === undefined ? 'the workflow code did nothing more' : `the workflow code ${code}`;
    const where = issuedAt === undefined ? '' : `${code === undefined ? ': it waits' : ''} at ${issuedAt}`;
    super(`Nondeterminism at event ${eventId}: ${did}${where}, but history holds ${history}. ${advice}`);
    this.mismatch = { code, history, eventId, eventType: eventName(met.event.eventType), advice };
    if (issuedAt !== undefined) Object.assign(this.mismatch, { issuedAt, location: locationIn(issuedAt) });
  }

  /** The same, when it is known only later where the code stands. */
  seenAt(frame: string | undefined): NondeterminismError {
    return frame === undefined || this.mismatch.issuedAt !== undefined ? this : new NondeterminismError({ ...this.met, issuedAt: frame });
  }
}
Object.defineProperty(NondeterminismError.prototype, 'name', { value: 'NondeterminismError', configurable: true, writable: true });

/** Thrown when history, or what the SDK keeps of it, makes no sense. */
export class ReplayError extends Error {}
Object.defineProperty(ReplayError.prototype, 'name', { value: 'ReplayError', configurable: true, writable: true });
