/** Ids from the system's randomness: UUIDv4 for requests, UUIDv7 for runs, in ascending order. */
import { randomFillSync, randomUUID } from 'node:crypto';
import type { Ids } from './engine.js';

/** The milliseconds of a UUIDv7. */
export const msOfRunId = (runId: string): number => Number.parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16);

const ID_BYTES = 16;
/** Random bytes for the ids to come: asking the system for a few at a time costs more than the id. */
const random = Buffer.alloc(128 * ID_BYTES);
let used = random.length;

export function uuidv7(ms: number): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  const from = used;
  used += ID_BYTES;
  random.writeUIntBE(ms, from, 6);
  random[from + 6] = (random[from + 6]! & 0x0f) | 0x70;
  random[from + 8] = (random[from + 8]! & 0x3f) | 0x80;
  const h = random.toString('hex', from, used);
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
}

export const systemIds: Ids = {
  newId: randomUUID,
  newRunId(nowMs, after) {
    const ms = Math.floor(nowMs);
    return uuidv7(after ? Math.max(ms, msOfRunId(after) + 1) : ms);
  },
};

/** What the request ids of a node's hand-outs begin with. */
export const handOutTag = (nodeId: string): string => nodeId.slice(0, 8);

/** The request id of a hand-out: a random one that says which node it was. */
export const handOutId = (engine: { nodeId: string; ids: Ids }): string => handOutTag(engine.nodeId) + engine.ids.newId().slice(8);

/** A number from 0 up to 1, for spreading things in time, from the same source as the ids. */
export const randomFraction = (ids: Ids): number => Number.parseInt(ids.newId().slice(-8), 16) / 2 ** 32;
