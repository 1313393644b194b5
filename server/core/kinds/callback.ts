/**
 * The completion callback: somebody outside is told over HTTP how a run ended. It waits for the end of the run (one that goes on by
 * continue-as-new or a retry hands it on), is then called until it has got through, and no event tells of any of that.
 */
import { api, type temporal } from '../api.js';
import type { AttachedCallback, CallbackCalls, RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { failedPrecondition } from '../errors.js';

const CallbackCodec = api.common.v1.Callback;
const FailureCodec = api.failure.v1.Failure;

type Callback = temporal.api.common.v1.ICallback;

/** A callback as an event attaches it. */
export const attached = (callback: Callback, registeredMs: number, requestId: string): AttachedCallback => ({
  callback: CallbackCodec.encode(callback).finish(),
  registeredMs,
  requestId,
  calls: null,
});

export const callbackOf = ({ callback }: AttachedCallback): Callback => CallbackCodec.decode(callback);

/** Throws FAILED_PRECONDITION when a run has no room for so many more. */
export function requireRoomForCallbacks({ state, limits }: Turn, more: number): void {
  const max = limits.callbacksPerRunMax;
  const before = state.callbacks.length;
  if (more > 0 && before + more > max)
    throw failedPrecondition(`cannot attach more than ${max} callbacks to a workflow (${before} callbacks already attached)`);
}

/** The run has ended and its chain with it: each callback that waited for that is to be called now. */
export function triggerCallbacks(turn: Turn): void {
  const { namespaceId, workflowId, runId } = turn.state.info;
  turn.state.callbacks.forEach((callback, index) => {
    const { nexus } = callbackOf(callback);
    if (callback.calls || !nexus) return;
    callback.calls = { state: 'scheduled', attempt: 0, lastAttemptMs: 0, lastFailure: null, nextMs: 0 };
    turn.effect({ type: 'message', message: { kind: 'callback', to: { namespaceId, workflowId, runId }, index, destination: originOf(nexus.url ?? '') } });
    turn.touched = true;
  });
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : '');

/** The calls of a callback that is still to be called; undefined when there is nothing left to do. */
export function callsDue(state: RunState, index: number): CallbackCalls | undefined {
  const calls = state.callbacks[index]?.calls;
  return calls && (calls.state === 'scheduled' || calls.state === 'backing-off') ? calls : undefined;
}

/** How a call went; the text says what went wrong. */
export type CallOutcome = { got: 'through' } | { got: 'refused' | 'nowhere'; why: string };

/** Takes the outcome of a call into the state: through, refused for good, or to be tried again after that many milliseconds. Says whether it is the last. */
export function recordCall(turn: Turn, calls: CallbackCalls, outcome: CallOutcome, retryMs: number): boolean {
  turn.touched = true;
  calls.attempt += 1;
  calls.lastAttemptMs = turn.nowMs;
  calls.nextMs = 0;
  calls.lastFailure = outcome.got === 'through' ? null : failureOf(outcome);
  calls.state = outcome.got === 'through' ? 'succeeded' : outcome.got === 'refused' ? 'failed' : 'backing-off';
  if (calls.state === 'backing-off') calls.nextMs = turn.nowMs + retryMs;
  return calls.state !== 'backing-off';
}

const failureOf = ({ got, why }: { got: string; why: string }): Uint8Array =>
  FailureCodec.encode({ message: why, applicationFailureInfo: { nonRetryable: got === 'refused' } }).finish();

/** Milliseconds until the next call after so many: twice as long each time, less up to a fifth. `spread` is a number from 0 up to 1. */
export function backoffOf(
  attempts: number,
  { callbackRetryInitialMs: first, callbackRetryMaxMs: max }: Turn['limits'],
  spread: number,
): number {
  return Math.min(first * 2 ** (attempts - 1), max) * (0.8 + 0.2 * spread);
}

/** An event attaches callbacks to the run. */
export function attachCallbacks(
  state: RunState,
  callbacks: readonly Callback[] | null | undefined,
  registeredMs: number,
  requestId: string,
): void {
  for (const callback of callbacks ?? []) state.callbacks.push(attached(callback, registeredMs, requestId));
}

/** Callbacks as the history alone tells of them. */
export const durableCallbacks = ({ callbacks }: RunState): object[] =>
  callbacks.map(({ callback, registeredMs }) => ({ callback, registeredMs }));
