/** Looks for messages that lie in the outbox beyond their time (a node died, a delivery failed) and hands them to this node's courier. */
import type { Engine } from '../engine/engine.js';
import { whenItAnswers } from '../engine/when-it-answers.js';
import { DatabaseLost } from '../storage/database.js';

const BATCH = 500;
/** While there is no room, or something is under way. */
const BUSY_MS = 1_000;
/** For so long they are this node's to deliver. */
const CLAIM_MS = 10_000;

/** Returns how long to sleep: until the time of the next message comes. Those that are stored meanwhile wake the loop; others' are looked for. */
export async function deliverOutboxOnce(engine: Engine): Promise<number> {
  if (!engine.courier.hasRoom) return BUSY_MS;
  const nowMs = engine.clock.now();
  const nextMs = await engine.outbox.nextMs();
  if (nextMs > nowMs) return Math.min(engine.lookMs(), nextMs - nowMs);
  const untilMs = nowMs + CLAIM_MS;
  const messages = await engine.outbox.claim(BATCH, nowMs, untilMs).catch((error: unknown) => {
    // what was claimed all the same nobody knows of
    if (error instanceof DatabaseLost) whenItAnswers(engine, () => engine.outbox.unclaim(untilMs));
    throw error;
  });
  engine.courier.send(messages);
  return messages.length === BATCH ? 0 : BUSY_MS;
}
