/** What the parent of a group of engine processes and its members say to each other. */
import type { Config } from '../config.js';

export type ToMember =
  /** Get ready, without a part in the work yet. */
  | { type: 'prepare'; config: Config }
  /** Take part: be a node on the database. */
  | { type: 'start' }
  /** The port is open there. */
  | { type: 'serves'; grpcAddress: string }
  /** Comes with a socket: a caller's connection. */
  | { type: 'connection'; id: number }
  /** Let go of so large a part of the work, 0 to 1, connection by connection; their callers connect again. */
  | { type: 'move'; share: number }
  /** Let go of callers of these queues that have no worker here. */
  | { type: 'gather'; queues: readonly string[] }
  | { type: 'metrics'; id: number }
  | { type: 'stop' };

export type FromMember =
  /** It listens: what is said to it before is lost. */
  | { type: 'hello' }
  | { type: 'prepared' }
  | { type: 'started' }
  | { type: 'failed'; reason: string }
  /** Told every second by a member that takes part. */
  | { type: 'load'; load: MemberLoad }
  /** So many connections were told to go elsewhere. */
  | { type: 'moving'; connections: number }
  /** It has that connection. */
  | { type: 'taken'; id: number }
  | { type: 'metrics'; id: number; text: string };

export interface MemberLoad {
  /** Time that the process spent computing since it last said so, in parts of one processor. */
  readonly cpu: number;
  readonly connections: number;
  /** Task queues that workers poll there; those of callers without a worker there. Not all, where there are many. */
  readonly polled?: readonly string[];
  readonly strays?: readonly string[];
}

/** A member that takes part says so often how much it has to do. */
export const LOAD_TOLD_MS = 1_000;
