/** Sizes of payloads as they are stored. An upper bound that needs no encoding answers for all but the largest. */
import { api, type Failure, type Payload, type Payloads, type temporal } from '../api.js';
import { invalidArgument } from '../errors.js';

type Fields = { [key: string]: Payload } | null | undefined;

/** Bytes that tags and lengths of one field or map entry can take at most. */
const OVERHEAD = 24;

function payloadBound(payload: Payload): number {
  let bytes = OVERHEAD + (payload.data?.length ?? 0) + OVERHEAD * (payload.externalPayloads?.length ?? 0);
  for (const [key, value] of Object.entries(payload.metadata ?? {})) bytes += OVERHEAD + key.length * 3 + value.length;
  return bytes;
}

export function payloadsExceed(payloads: Payloads | null | undefined, bytesMax: number): boolean {
  const list = payloads?.payloads;
  if (!payloads || !list) return false;
  let bound = 0;
  for (const payload of list) bound += payloadBound(payload);
  return bound > bytesMax && api.common.v1.Payloads.encode(payloads).finish().length > bytesMax;
}

function fieldsBound(fields: Fields): number {
  let bound = 0;
  for (const [key, payload] of Object.entries(fields ?? {})) bound += OVERHEAD + key.length * 3 + payloadBound(payload);
  return bound;
}

export function memoExceeds(memo: temporal.api.common.v1.IMemo | null | undefined, bytesMax: number): boolean {
  return !!memo && fieldsBound(memo.fields) > bytesMax && api.common.v1.Memo.encode(memo).finish().length > bytesMax;
}

export function searchAttributesExceed(attributes: temporal.api.common.v1.ISearchAttributes | null | undefined, bytesMax: number): boolean {
  return !!attributes && fieldsBound(attributes.indexedFields) > bytesMax && searchAttributesSize(attributes) > bytesMax;
}

export const searchAttributesSize = (attributes: temporal.api.common.v1.ISearchAttributes): number =>
  api.common.v1.SearchAttributes.encode(attributes).finish().length;

/** A marker's details: named payloads. */
export function detailsExceed(details: { [key: string]: Payloads } | null | undefined, bytesMax: number): boolean {
  let bytes = 0;
  for (const [key, payloads] of Object.entries(details ?? {})) {
    bytes += key.length;
    for (const payload of payloads.payloads ?? []) bytes += payloadBound(payload) - OVERHEAD;
  }
  return bytes > bytesMax;
}

export const failureSize = (failure: Failure | null | undefined): number =>
  failure ? api.failure.v1.Failure.encode(failure).finish().length : 0;

/** Refuses a request whose payloads are over the limit. */
export function requirePayloadSize(payloads: Payloads | null | undefined, bytesMax: number): void {
  if (payloadsExceed(payloads, bytesMax)) throw invalidArgument('Blob data size exceeds limit.');
}

export function requireMemoSize(memo: temporal.api.common.v1.IMemo | null | undefined, bytesMax: number): void {
  if (memoExceeds(memo, bytesMax)) throw invalidArgument('Memo size exceeds limit.');
}
