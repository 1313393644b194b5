/** Brings messages to their runs: finds the run that each is for, lets it take them in, and tells senders of signals and cancels how it went. */
import { crashPoint } from '../crash-points.js';
import { ServiceError } from '../core/errors.js';
import { isRunning } from '../core/kinds/run.js';
import type { Address, OutboxMessage } from '../core/message.js';
import {
  answerTo,
  CANCEL_NAMESPACE_NOT_FOUND,
  CANCEL_TARGET_NOT_FOUND,
  type IncomingMessage,
  isIncoming,
  SIGNAL_NAMESPACE_NOT_FOUND,
  SIGNAL_TARGET_NOT_FOUND,
  type Taken,
  takeMessage,
} from '../core/take-message.js';
import { callBack, isCallback } from './call-back.js';
import { Courier } from './courier.js';
import type { Engine, EngineLog } from './engine.js';
import { startChildren } from './start-children.js';
import { MessageGone, transact } from './transact.js';

/** Chains that go on as new runs while a message looks for the open one are followed so often. */
const FOLLOW_MAX = 20;

/** A failed delivery is tried again after so long, then twice as long, … */
const PUT_OFF = { baseMs: 200, maxMs: 60_000 };

/** The courier of a node. */
export function courierOf(engineOf: () => Engine, log: EngineLog): Courier {
  return new Courier({
    deliver: (messages) => deliverMessages(engineOf(), messages),
    async failed(messages, error) {
      const engine = engineOf();
      log.warn(
        { err: error, kinds: messages.map((m) => m.message.kind) },
        'messages between runs could not be delivered; they are tried again',
      );
      await engine.outbox
        .putOff(
          messages.map((m) => m.id),
          engine.clock.now(),
          PUT_OFF,
        )
        .catch(() => undefined);
    },
    release: (ids) => engineOf().outbox.release(ids),
  });
}

/** Delivers messages for one workflow id, in order; those for the same run go together. */
export async function deliverMessages(engine: Engine, messages: readonly OutboxMessage[]): Promise<void> {
  await Promise.all(messages.filter(isCallback).map((m) => callBack(engine, m)));
  let rest = messages.filter((m) => !isCallback(m));
  while (rest.length > 0) {
    const first = rest[0]!;
    const end = rest.findIndex((m) => m.message.to.runId !== first.message.to.runId || isIncoming(m) !== isIncoming(first));
    const together = end < 0 ? rest : rest.slice(0, end);
    rest = rest.slice(together.length);
    await deliverTogether(engine, together);
  }
}

async function deliverTogether(engine: Engine, messages: readonly OutboxMessage[]): Promise<void> {
  crashPoint('delivering-message');
  try {
    const incoming = messages.filter(isIncoming);
    if (incoming.length === 0) await startChildren(engine, messages);
    else await deliverToRun(engine, incoming);
    crashPoint('message-delivered');
  } catch (error) {
    if (!(error instanceof MessageGone)) throw error;
    // another node was faster with some of them
    const present = await engine.outbox.present(messages.map((m) => m.id));
    await deliverMessages(
      engine,
      messages.filter((m) => present.has(m.id)),
    );
  }
}

const isSelf = ({ message }: IncomingMessage): boolean =>
  (message.kind === 'signal' || message.kind === 'cancel') &&
  message.from.namespaceId === message.to.namespaceId &&
  message.from.workflowId === message.to.workflowId;

async function deliverToRun(engine: Engine, all: readonly IncomingMessage[]): Promise<void> {
  const { to } = all[0]!.message;
  const messages = all.filter((m) => !isSelf(m));
  const taken = messages.length > 0 ? await take(engine, to, messages) : [];
  const settled = all.map((m): [IncomingMessage, Taken | undefined] => [m, taken[messages.indexOf(m)]]);
  const nothingToDo: string[] = [];
  for (const [m, outcome] of settled) {
    if (outcome === 'taken') continue;
    const { message } = m;
    if (typeof outcome === 'object' && 'moved' in outcome) {
      await deliverToRun(engine, [{ id: m.id, message: { ...message, to: { ...message.to, runId: outcome.moved } } }]);
      continue;
    }
    if (message.kind !== 'signal' && message.kind !== 'cancel') {
      nothingToDo.push(m.id);
      continue;
    }
    const cause = typeof outcome === 'object' ? outcome.answer : await unreachable(engine, m);
    const answer = { id: m.id, message: answerTo(message, cause) };
    const [answered] = await take(engine, answer.message.to, [answer]);
    if (answered !== 'taken') nothingToDo.push(m.id);
  }
  if (nothingToDo.length > 0) await engine.outbox.remove(nothingToDo);
}

async function unreachable(engine: Engine, { message }: IncomingMessage): Promise<number> {
  const known = await engine.registry.byId(message.to.namespaceId);
  if (message.kind === 'cancel') return known ? CANCEL_TARGET_NOT_FOUND : CANCEL_NAMESPACE_NOT_FOUND;
  return known ? SIGNAL_TARGET_NOT_FOUND : SIGNAL_NAMESPACE_NOT_FOUND;
}

/** What became of each message at the run they are for; empty when there is no such run. */
async function take(engine: Engine, to: Address, messages: readonly IncomingMessage[]): Promise<Taken[]> {
  if (to.runId) return (await takeAt(engine, to.runId, to, messages))?.taken ?? [];
  let last: { runId: string; taken: Taken[] } = { runId: '', taken: [] };
  for (let hop = 0; hop < FOLLOW_MAX; hop++) {
    const runId = (await engine.runs.current(to.namespaceId, to.workflowId))?.runId ?? '';
    if (runId === last.runId) return last.taken;
    const arrived = await takeAt(engine, runId, to, messages);
    if (arrived?.open) return arrived.taken;
    last = { runId, taken: arrived?.taken ?? [] }; // it may have closed while we looked: then the next one of its chain is meant
  }
  throw new Error(`the chain of workflow ${to.workflowId} goes on faster than messages can follow it`);
}

async function takeAt(
  engine: Engine,
  runId: string,
  to: Address,
  messages: readonly IncomingMessage[],
): Promise<{ open: boolean; taken: Taken[] } | undefined> {
  try {
    return await transact(engine, runId, (turn) => {
      const { info } = turn.state;
      if (info.namespaceId !== to.namespaceId || info.workflowId !== to.workflowId) return undefined;
      const open = isRunning(turn.state);
      return { open, taken: messages.map((m) => takeMessage(turn, m)) };
    });
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
