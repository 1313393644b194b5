/**
 * Connections that this process was handed by the one that accepted them. Each can be told to go elsewhere: its caller connects again, and what is under
 * way ends on the old connection. Those that use the same task queues go together, so that callers and their workers stay in one process.
 */
import type { Socket } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { type ConnectionUse, connectionsToMove } from './connections-to-move.js';

/** Calls that may be answered before their time, with what there is: their callers ask again. */
const POLLS = /^Poll|^GetWorkflowExecutionHistory$/;
/** Longer than any call takes. */
const GRACE_MS = 75_000;
/** Task queues that are remembered of a connection, and that are told of all. */
const QUEUES_MAX = 20;
const TOLD_MAX = 200;

/** What somebody must know to bring callers together with their workers. */
export interface QueueUse {
  /** Queues that workers poll here. */
  readonly polled: readonly string[];
  /** Queues of callers none of whose queues is polled here. */
  readonly strays: readonly string[];
}

/** A call that can be ended before its time. */
export interface Endable {
  endEarly(): void;
}

interface QueueRequest {
  readonly namespace?: string | null;
  readonly taskQueue?: { name?: string | null; normalName?: string | null } | null;
}

export class Connection implements ConnectionUse {
  calls = 0;
  readonly queues = new Set<string>();
  readonly polled = new Set<string>();
  private readonly polls = new Set<Endable>();
  private leaving = false;

  constructor(private readonly drain: () => void) {}

  /** A call begins. What comes back is called when it ends. */
  begin(method: string, request: object, call: Endable): (() => void) | undefined {
    this.calls++;
    const { namespace, taskQueue } = request as QueueRequest;
    const name = taskQueue && (taskQueue.normalName || taskQueue.name);
    const isPoll = POLLS.test(method);
    if (name && this.queues.size < QUEUES_MAX) {
      const queue = `${namespace}/${name}`;
      this.queues.add(queue);
      if (isPoll) this.polled.add(queue);
    }
    if (!isPoll) return undefined;
    if (this.leaving) {
      call.endEarly();
      return undefined;
    }
    this.polls.add(call);
    return () => this.polls.delete(call);
  }

  get isLeaving(): boolean {
    return this.leaving;
  }

  leave(): void {
    this.leaving = true;
    this.drain();
    for (const poll of this.polls) poll.endEarly();
    this.polls.clear();
  }
}

export class Connections {
  private readonly byPeer = new Map<string, Connection>();

  constructor(private readonly server: Pick<Server, 'createConnectionInjector'>) {}

  get size(): number {
    return this.byPeer.size;
  }

  /** The connection of a caller, as grpc-js names it. */
  of(peer: string): Connection | undefined {
    return this.byPeer.get(peer);
  }

  take(socket: Socket): void {
    socket.setNoDelay(true);
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const injector = this.server.createConnectionInjector(ServerCredentials.createInsecure());
    const connection = new Connection(() => injector.drain(GRACE_MS));
    this.byPeer.set(peer, connection);
    socket.once('close', () => {
      if (this.byPeer.get(peer) === connection) this.byPeer.delete(peer);
      injector.destroy();
    });
    injector.injectConnection(socket);
  }

  queueUse(): QueueUse {
    const polled = this.polled();
    const strays = new Set<string>();
    for (const connection of this.strays(polled)) for (const queue of connection.queues) strays.add(queue);
    return { polled: [...polled].slice(0, TOLD_MAX), strays: [...strays].slice(0, TOLD_MAX) };
  }

  /** Sends callers to where the workers of one of these queues are, if they have none here. Returns how many. */
  gather(queues: readonly string[]): number {
    const leaving = this.strays(this.polled()).filter((connection) => queues.some((queue) => connection.queues.has(queue)));
    for (const connection of leaving) connection.leave();
    return leaving.length;
  }

  private polled(): Set<string> {
    const polled = new Set<string>();
    for (const connection of this.byPeer.values()) for (const queue of connection.polled) polled.add(queue);
    return polled;
  }

  private strays(polled: ReadonlySet<string>): Connection[] {
    return [...this.byPeer.values()].filter(({ queues, isLeaving }) => !isLeaving && queues.size > 0 && ![...queues].some((queue) => polled.has(queue)));
  }

  /** Sends connections elsewhere that make up about such a share of the work. Returns how many. */
  move(share: number): number {
    const leaving = connectionsToMove([...this.byPeer.values()], share);
    for (const connection of leaving) connection.leave();
    for (const connection of this.byPeer.values()) connection.calls = 0; // what was long ago says less than what is now
    return leaving.length;
  }
}
