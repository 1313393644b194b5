/** Where workflow code and its history part ways, as facts that a program can use. */

/** A place in source code. */
export interface CodeLocation {
  /** Function that it lies in, when it has a name. */
  functionName?: string;
  /** Absolute path. */
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
}

/** The first difference between what workflow code does and what its history holds. */
export interface HistoryMismatch {
  /** What the code did, for example `scheduled activity 'pay' (id 2)`; `undefined` when it did nothing more. */
  code: string | undefined;
  /** What history holds, for example `TimerStarted (timer 2)`. */
  history: string;
  /** The event in the history. */
  eventId: number;
  /** Its type, for example `TimerStarted`. */
  eventType: string;
  /** Where the code did it, or where it waits when it did nothing, as a line of a stack trace: `function (file:line:column)`. */
  issuedAt?: string;
  /** The same place in parts. */
  location?: CodeLocation;
  /** What to do about it. */
  advice: string;
}

const FRAME = /^(?:async )?(?:(.+?) \()?(.+?):(\d+):(\d+)\)?$/;

/** The place that a line of a stack trace names. */
export function locationIn(frame: string): CodeLocation | undefined {
  const [, functionName, file, line, column] = FRAME.exec(frame) ?? [];
  if (file === undefined) return undefined;
  return { ...(functionName !== undefined && { functionName }), file, line: Number(line), column: Number(column) };
}
