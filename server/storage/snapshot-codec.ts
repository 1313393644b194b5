/** Run state <-> the JSON bytes of its two columns. Byte strings become {"$b": base64}. */
import { blankState } from '../core/blank-state.js';
import { dictionary } from '../core/dictionary.js';
import type { RunInfo, RunState } from '../core/run-state.js';

function encode(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key];
  return raw instanceof Uint8Array ? { $b: Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('base64') } : value;
}

function decode(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$b' in value)) return value;
  // a record whose keys users choose may have such a key too, but never such a value
  return typeof value.$b === 'string' ? Buffer.from(value.$b, 'base64') : value;
}

const toBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value, encode), 'utf8');

export const encodeInfo = (state: RunState): Buffer => toBytes(state.info);

/** Everything but what has columns of its own. */
export function encodeSnapshot(state: RunState): Buffer {
  return toBytes({ ...state, info: undefined, memo: undefined, searchAttributes: undefined });
}

export interface StateColumns {
  info: Buffer;
  snapshot: Buffer;
  memo: Buffer | null;
  search_attributes: Buffer | null;
}

export function decodeState(row: StateColumns): RunState {
  const info = JSON.parse(row.info.toString('utf8'), decode) as RunInfo;
  // a snapshot that an older server wrote has not every field of today
  const blank = blankState({ ...info, requestId: info.createRequestId });
  const { updatesAccepted, updatesCompleted } = blank;
  const state = Object.assign(blank, JSON.parse(row.snapshot.toString('utf8'), decode) as RunState);
  // these were records while nothing was put into them yet
  if (!Array.isArray(state.updatesAccepted)) state.updatesAccepted = updatesAccepted;
  if (!Array.isArray(state.updatesCompleted)) state.updatesCompleted = updatesCompleted;
  state.timers = dictionary(state.timers);
  state.requestIds = dictionary(state.requestIds);
  Object.assign(state.info, info);
  if (state.info.originalStartMs === 0) state.info.originalStartMs = state.info.startMs;
  state.memo = row.memo;
  state.searchAttributes = row.search_attributes;
  return state;
}

export const encodeMessage = toBytes;
export const decodeMessage = <M>(bytes: Buffer): M => JSON.parse(bytes.toString('utf8'), decode) as M;
