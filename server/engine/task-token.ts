/** Task tokens: what a worker gives back so that its answer finds the task again. Opaque to workers, JSON inside. */
import { invalidArgument } from '../core/errors.js';

export interface WorkflowTaskToken {
  t: 'w';
  ns: string;
  wid: string;
  run: string;
  /** Scheduled and started event ids, attempt. */
  s: number;
  e: number;
  a: number;
  /** Start time in milliseconds: tells apart two hand-outs of a task with the same ids. */
  at: number;
}

export interface ActivityTaskToken {
  t: 'a';
  ns: string;
  wid: string;
  run: string;
  /** Scheduled event id. */
  s: number;
  a: number;
  /** Stamp of the activity when it was handed out. */
  st: number;
  /** Activity id, for messages. */
  id: string;
  at: number;
}

export interface QueryTaskToken {
  t: 'q';
  ns: string;
  /** Query id. */
  q: string;
  /** Node that asks. */
  n: string;
}

export type TaskToken = WorkflowTaskToken | ActivityTaskToken | QueryTaskToken;

export const encodeToken = (token: TaskToken): Buffer => Buffer.from(JSON.stringify(token), 'utf8');

/** Reads a token of one type. Throws INVALID_ARGUMENT when it is none of ours. */
export function decodeToken<T extends TaskToken['t']>(bytes: Uint8Array | null | undefined, type: T): Extract<TaskToken, { t: T }> {
  if (!bytes || bytes.length === 0) throw invalidArgument('Task token not set on request.');
  let token: TaskToken | undefined;
  try {
    token = JSON.parse(Buffer.from(bytes).toString('utf8')) as TaskToken;
  } catch {
    // not one of ours
  }
  if (typeof token !== 'object' || token === null || token.t !== type) throw invalidArgument('Error deserializing task token.');
  return token as Extract<TaskToken, { t: T }>;
}
