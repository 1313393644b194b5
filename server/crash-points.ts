/**
 * Named moments at which the process may be told to die, so that tests can show what survives. `PERDURE_CRASH_AT=after-commit:3` kills it with
 * SIGKILL the third time it comes by that point. Without the variable each point is a call of an empty function.
 */

export type CrashPoint =
  /** A transition is decided; nothing of it was sent to the database. */
  | 'before-commit'
  /** The statement of a group of transitions is on its way; whether it will be carried out is open. */
  | 'in-group-commit'
  /** The database has the transitions; nobody has been told. */
  | 'after-commit'
  /** A task was given to a waiting poller, whose worker may or may not hear of it. */
  | 'after-hand-out'
  /** A message between runs was taken from the outbox, and has not been delivered. */
  | 'delivering-message'
  /** A message between runs was delivered, and its delivery is committed. */
  | 'message-delivered'
  /** A completion callback is about to be called. */
  | 'calling-back'
  /** It was called, and what came of it is not recorded. */
  | 'called-back'
  /** Inside the transaction of a migration. */
  | 'in-migration'
  /** Between two migrations. */
  | 'between-migrations';

const parse = (text: string | undefined): { point: string; hit: number } | undefined => {
  const match = /^([a-z-]+)(?::([1-9]\d*))?$/.exec(text ?? '');
  return match ? { point: match[1] as string, hit: Number(match[2] ?? 1) } : undefined;
};

const dieAt = (wanted: { point: string; hit: number }): ((point: CrashPoint) => void) => {
  let left = wanted.hit;
  return (point) => {
    if (point !== wanted.point || --left > 0) return;
    const die = (): void => void process.kill(process.pid, 'SIGKILL');
    // the statement is handed to the socket in the next turns of the event loop
    if (point === 'in-group-commit') setImmediate(() => setImmediate(die));
    else die();
  };
};

const wanted = parse(process.env['PERDURE_CRASH_AT']);

/** Comes by a named moment; returns unless this process was told to die there. */
export const crashPoint: (point: CrashPoint) => void = wanted === undefined ? () => undefined : dieAt(wanted);
