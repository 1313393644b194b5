/** Task tokens: what a worker gives back so that its answer finds the task again. Opaque to workers, JSON inside. */
import { requireTaskToken, undecodableToken } from '../core/validate/activity-answer.js';
import { isUuid } from '../core/validate/execution.js';

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

const isNumber = (value: unknown): boolean => Number.isSafeInteger(value);
const isTime = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): boolean => typeof value === 'string';

/** What a token of each type must hold before anything is looked up with it. */
const WELL_FORMED: { [T in TaskToken['t']]: (token: Partial<Extract<TaskToken, { t: T }>>) => boolean } = {
  w: ({ run, wid, s, e, a, at }) => isUuid(run ?? '') && isText(wid) && [s, e, a].every(isNumber) && isTime(at),
  a: ({ run, wid, s, a, at }) => isUuid(run ?? '') && isText(wid) && [s, a].every(isNumber) && isTime(at),
  q: ({ q, n }) => isText(q) && isText(n),
};

/** Reads a token of one type. Throws INVALID_ARGUMENT when it is none of ours. */
export function decodeToken<T extends TaskToken['t']>(bytes: Uint8Array | null | undefined, type: T): Extract<TaskToken, { t: T }> {
  const given = requireTaskToken(bytes);
  const text = Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString('utf8');
  let token: unknown;
  try {
    token = JSON.parse(text);
  } catch {
    throw undecodableToken();
  }
  if (!isTokenOf(token, type)) throw undecodableToken();
  return token;
}

function isTokenOf<T extends TaskToken['t']>(token: unknown, type: T): token is Extract<TaskToken, { t: T }> {
  if (typeof token !== 'object' || token === null) return false;
  const candidate = token as Partial<Extract<TaskToken, { t: T }>>;
  return candidate.t === type && typeof candidate.ns === 'string' && isUuid(candidate.ns) && WELL_FORMED[type](candidate);
}
