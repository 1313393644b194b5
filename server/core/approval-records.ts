/**
 * What a run and its people write about approvals, as JSON in markers and signals (docs/decisions/0005-approvals.md).
 * Content that is no JSON (a payload codec encrypts it) is nobody's mistake and reads as `unreadable`.
 */
import type { HistoryEvent, Payload, Payloads, temporal } from './api.js';

export const REQUEST_MARKER = 'perdure.approval';
export const CLOSED_MARKER = 'perdure.approval.closed';
export const DECISION_SIGNAL = 'perdure.approval.decision';

export type Verdict = 'approved' | 'rejected';

export interface RequestRecord {
  approvalId: string;
  what: string;
  /** '' = anybody. */
  from: string;
  /** 0 = for as long as the run. */
  untilMs: number;
  /** A JSON text, '' = nothing. */
  details: string;
}

export interface DecisionRecord {
  approvalId: string;
  decision: Verdict;
  by: string;
  reason: string;
}

/** The run waits no longer, and has no decision. */
export interface ClosedRecord {
  approvalId: string;
  outcome: 'expired' | 'withdrawn';
}

type MarkerAttributes = Pick<temporal.api.command.v1.IRecordMarkerCommandAttributes, 'markerName' | 'details'>;

/** Longest texts that are kept for listing, in characters; the history has them whole. */
const TEXT_MAX = 4_000;
const NAME_MAX = 1_000;

const decoder = new TextDecoder();

/** The object in a payload; undefined when it is not JSON, null when it is JSON but no object. */
function jsonObject(payload: Payload | null | undefined): Record<string, unknown> | null | undefined {
  const encoding = payload?.metadata?.encoding;
  if (!payload?.data || !encoding || decoder.decode(encoding) !== 'json/plain') return undefined;
  try {
    const value: unknown = JSON.parse(decoder.decode(payload.data));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** A text for people; PostgreSQL stores no NUL. */
const text = (value: unknown, max: number): string => (typeof value === 'string' ? value.slice(0, max).replaceAll('\0', '\uFFFD') : '');

const isId = (value: unknown): value is string => typeof value === 'string' && value !== '' && !value.includes('\0');

const timeOf = (value: unknown): number => {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : 0;
};

export type Unreadable = 'unreadable';

/** The request in a marker of that name; a text says what is wrong with it. */
export function readRequest(marker: MarkerAttributes): RequestRecord | Unreadable | { problem: string } {
  const value = jsonObject(marker.details?.request?.payloads?.[0]);
  if (value === undefined) return 'unreadable';
  if (value === null) return { problem: 'the request is no JSON object' };
  const { approvalId, what, from, until, details } = value;
  if (!isId(approvalId)) return { problem: `approvalId must be a text that is not empty, not ${JSON.stringify(approvalId)}` };
  if (until !== undefined && until !== null && !timeOf(until))
    return { problem: `until must be an ISO 8601 time, not ${JSON.stringify(until)}` };
  return {
    approvalId,
    what: text(what, TEXT_MAX),
    from: text(from, NAME_MAX),
    untilMs: timeOf(until),
    details: details === undefined || details === null ? '' : JSON.stringify(details),
  };
}

export function readClosed(marker: MarkerAttributes): ClosedRecord | undefined {
  const value = jsonObject(marker.details?.closed?.payloads?.[0]);
  if (!value || !isId(value.approvalId)) return undefined;
  return { approvalId: value.approvalId, outcome: value.outcome === 'timed-out' ? 'expired' : 'withdrawn' };
}

/** The decision in a signal event; undefined for every other signal and for what is no decision. */
export function readDecision(event: HistoryEvent): DecisionRecord | undefined {
  const signal = event.workflowExecutionSignaledEventAttributes;
  if (signal?.signalName !== DECISION_SIGNAL) return undefined;
  const value = jsonObject(signal.input?.payloads?.[0]);
  if (!value || !isId(value.approvalId)) return undefined;
  const { decision } = value;
  if (decision !== 'approved' && decision !== 'rejected') return undefined;
  return {
    approvalId: value.approvalId,
    decision,
    by: text(value.by, NAME_MAX) || text(signal.identity, NAME_MAX),
    reason: text(value.reason, TEXT_MAX),
  };
}

/** The input of the signal that carries a decision. */
export function decisionInput({ approvalId, decision, by, reason }: DecisionRecord): Payloads {
  const encoder = new TextEncoder();
  const data = encoder.encode(JSON.stringify({ approvalId, decision, by, reason }));
  return { payloads: [{ metadata: { encoding: encoder.encode('json/plain') }, data }] };
}
