/** The error for workflow code that no longer does what history says it did: one sentence each for what, where and what now. */

export interface Mismatch {
  /** What the code did, for example `scheduled activity 'pay' (id 2)`; `undefined` when it did nothing more. */
  code: string | undefined;
  /** What history holds, for example `TimerStarted (timer 2)`. */
  history: string;
  eventId: number;
  /** Where the code did it, when known: `function (file:line:column)`. */
  issuedAt?: string;
  advice?: string;
}

const ADVICE =
  'The code, or what it decides by, changed since this run recorded that event. Put the change behind patched() so that running workflows keep ' +
  'the old path, run the old code in its own worker version until they end, or reset the workflow to a task before that event.';

/** Thrown when replay meets a difference between workflow code and history. Fails the workflow task, never the run. */
export class NondeterminismError extends Error {
  constructor(readonly mismatch: Mismatch) {
    const did = mismatch.code === undefined ? 'the workflow code did nothing more' : `the workflow code ${mismatch.code}`;
    const where = mismatch.issuedAt ? ` at ${mismatch.issuedAt}` : '';
    super(
      `Nondeterminism at event ${mismatch.eventId}: ${did}${where}, but history holds ${mismatch.history}. ${mismatch.advice ?? ADVICE}`,
    );
  }
}
Object.defineProperty(NondeterminismError.prototype, 'name', { value: 'NondeterminismError', configurable: true, writable: true });

/** Thrown when history, or what the SDK keeps of it, makes no sense. */
export class ReplayError extends Error {}
Object.defineProperty(ReplayError.prototype, 'name', { value: 'ReplayError', configurable: true, writable: true });
