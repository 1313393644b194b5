/**
 * Calls the completion callback that a message in the outbox is about. The message stays there until the call got through or was refused for good,
 * so that a crash, a node that stops or another one that takes over only calls again: callbacks are called at least once.
 */
import { crashPoint } from '../crash-points.js';
import { addressProblem } from '../core/callback-addresses.js';
import { type CallbackRequest, callbackRequest } from '../core/callback-request.js';
import { judgeResponse } from '../core/callback-response.js';
import { ServiceError } from '../core/errors.js';
import { backoffOf, callsDue, type CallOutcome, recordCall } from '../core/kinds/callback.js';
import type { Message, OutboxMessage } from '../core/message.js';
import type { RunState } from '../core/run-state.js';
import type { Engine } from './engine.js';
import { eventOf } from './events-of.js';
import { randomFraction } from './ids.js';
import { MessageGone, transact } from './transact.js';

type CallbackMessage = OutboxMessage & { message: Extract<Message, { kind: 'callback' }> };

export const isCallback = (m: OutboxMessage): m is CallbackMessage => m.message.kind === 'callback';

/** While a call is under way the message is this node's: for as long as it may take, and a little. */
const MARGIN_MS = 5_000;
/** A call for which there was no room is tried again. */
const NO_ROOM_MS = 1_000;

export async function callBack(engine: Engine, { id, message: { to, index, destination } }: CallbackMessage): Promise<void> {
  if (!engine.callbacks.hasRoom(destination)) return; // it is found again in a while
  const run = await engine.runs.load(to.runId);
  const calls = run && callsDue(run.state, index);
  if (!calls) return engine.outbox.remove([id]);
  const nowMs = engine.clock.now();
  if (calls.nextMs > nowMs) return engine.outbox.putOffUntil(id, calls.nextMs);
  if (!(await engine.outbox.hold(id, nowMs + engine.limits.callbackTimeoutMs + MARGIN_MS))) return;
  crashPoint('calling-back');
  const outcome = await callOnce(engine, run.state, index);
  crashPoint('called-back');
  if (!outcome) {
    await engine.outbox.release([id]);
    return engine.messagesAt(engine.clock.now() + NO_ROOM_MS);
  }
  await record(engine, { id, runId: to.runId, index }, outcome);
}

/** Undefined when no call could be made now. */
async function callOnce(engine: Engine, state: RunState, index: number): Promise<CallOutcome | undefined> {
  const { limits, log } = engine;
  const closeEvent = await eventOf(
    engine,
    { state, version: 0, deadlineMs: null, recent: [], recentFrom: state.nextEventId },
    state.closeEventId,
  );
  const request = callbackRequest(state, state.callbacks[index]!, closeEvent);
  const problem = addressProblem(limits.callbackAddresses, request.url);
  if (problem) return { got: 'nowhere', why: problem }; // allowed when it came; an operator may allow it again
  const outcome = await post(engine, request);
  if (outcome && outcome.got !== 'through') {
    engine.callbacks.failed++;
    const { workflowId, runId } = state.info;
    log.warn(
      { workflowId, runId, destination: new URL(request.url).origin, why: outcome.why },
      `a completion callback ${outcome.got === 'refused' ? 'was refused' : 'did not get through; it is tried again'}`,
    );
  }
  return outcome;
}

async function post(engine: Engine, request: CallbackRequest): Promise<CallOutcome | undefined> {
  try {
    const response = await engine.callbacks.call(request, engine.limits.callbackTimeoutMs);
    return response && judgeResponse(response);
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    const { origin, pathname } = new URL(request.url);
    const why = name === 'TimeoutError' ? `no answer within ${engine.limits.callbackTimeoutMs} ms` : message || code || name;
    // what cannot even be sent (a header that HTTP does not allow) will never be
    return {
      got: code?.startsWith('ERR_INVALID') || code?.startsWith('ERR_HTTP_INVALID') ? 'refused' : 'nowhere',
      why: `Post "${origin}${pathname}": ${why}`,
    };
  }
}

async function record(
  engine: Engine,
  { id, runId, index }: { id: string; runId: string; index: number },
  outcome: CallOutcome,
): Promise<void> {
  const spread = randomFraction(engine.ids);
  try {
    const nextMs = await transact(engine, runId, (turn) => {
      const calls = callsDue(turn.state, index);
      if (!calls) return 0;
      const last = recordCall(turn, calls, outcome, backoffOf(calls.attempt + 1, turn.limits, spread));
      if (last) turn.takenMessages.push(id);
      return calls.nextMs;
    });
    if (nextMs > 0) await engine.outbox.putOffUntil(id, nextMs);
  } catch (error) {
    if (error instanceof MessageGone) return; // another node has called it as well
    if (error instanceof ServiceError && error.code === 'NOT_FOUND') return engine.outbox.remove([id]); // the run was deleted
    throw error;
  }
}
