/** Says that this node is there, and knows whether others are. */
import type { EngineLog } from '../engine/engine.js';
import type { NodeRow, Nodes } from '../storage/nodes.js';
import { isRunning } from './host.js';
import { Loop } from './loop.js';

const SEEN_EVERY_MS = 2_000;
/** Whether those of this host are alive is asked of the system, and so more often. */
const NEAR_LOOK_MS = 250;
/** A node that was not seen for so long is gone. */
const GONE_MS = 10_000;
const JOIN_LOOK_MS = 20;
const JOIN_LOOKS = (SEEN_EVERY_MS + 500) / JOIN_LOOK_MS;

/** Nodes of this very process. */
const ownNodes = new Set<string>();

export interface NodeWatchOptions {
  readonly nodes: Nodes;
  readonly self: { id: string; host: string; pid: number; startedMs: number };
  readonly now: () => number;
  readonly log: EngineLog;
  /** Called with whether other nodes share the database. */
  readonly onOthers: (others: boolean) => void;
  /** Tells other nodes at once that one has come. */
  readonly greet: () => Promise<void>;
  /** A node of this host was found dead, by this node and by no other. */
  readonly onDead: (node: { id: string; seenMs: number }) => void;
}

export class NodeWatch {
  readonly loop: Loop;
  /** What this node believes, and what its row says: that says so first. */
  private alone = false;
  private said: boolean | undefined;
  /** Processes of other nodes on this host. */
  private near: readonly number[] = [];
  private nearLook: NodeJS.Timeout | undefined;

  constructor(private readonly options: NodeWatchOptions) {
    this.loop = new Loop({ name: 'node-watch', log: options.log, runOnce: () => this.runOnce() });
  }

  /**
   * Makes this node known before it serves its first call. Nodes that believe themselves alone answer from memory, so the others must have
   * taken note of this one before it changes anything. One that does not stir is not waited for longer than it may take to look by itself.
   */
  async join(): Promise<void> {
    ownNodes.add(this.options.self.id);
    await this.runOnce();
    if (this.alone) return;
    await this.options.greet();
    for (let left = JOIN_LOOKS; left > 0 && (await this.others()).some((node) => node.alone); left--)
      await new Promise((resolve) => setTimeout(resolve, JOIN_LOOK_MS));
  }

  /** Others need not wait until they miss this node. */
  async leave(): Promise<void> {
    ownNodes.delete(this.options.self.id);
    this.watchNear([]);
    await this.options.nodes.remove(this.options.self.id, 0);
  }

  private async runOnce(): Promise<number> {
    let others = await this.sayAndLook();
    if (others.length === 0 && !this.alone) {
      await this.say(true); // whoever comes now waits until this node has looked again
      others = await this.others();
    }
    const alone = others.length === 0;
    this.watchNear(others.flatMap(({ host, pid }) => (host === this.options.self.host && pid !== this.options.self.pid ? pid : [])));
    this.options.onOthers(!alone);
    if (!alone && this.said) await this.say(false);
    this.alone = alone;
    return SEEN_EVERY_MS;
  }

  /** One that dies is noticed at once. */
  private watchNear(pids: readonly number[]): void {
    this.near = pids;
    if (pids.length > 0) {
      this.nearLook ??= setInterval(() => this.lookNear(), NEAR_LOOK_MS).unref();
      return;
    }
    clearInterval(this.nearLook);
    this.nearLook = undefined;
  }

  private lookNear(): void {
    if (this.near.every(isRunning)) return;
    this.near = []; // until the database has been asked who is there
    this.loop.wake();
  }

  private async say(alone: boolean): Promise<void> {
    const { nodes, self, now } = this.options;
    this.said = alone;
    await nodes.seen(self, now(), alone);
  }

  /** In one question where nothing new is said. */
  private async sayAndLook(): Promise<NodeRow[]> {
    const { nodes, self, now } = this.options;
    const seen = this.said === this.alone ? await nodes.seenAgain(self.id, now(), now() - GONE_MS) : undefined;
    if (seen) return this.alive(seen);
    await this.say(this.alone);
    return this.others();
  }

  /** Other nodes that are alive, as far as can be seen from here. */
  private async others(): Promise<NodeRow[]> {
    const { nodes, self, now } = this.options;
    return this.alive(await nodes.others(self.id, now() - GONE_MS));
  }

  private async alive(seen: readonly NodeRow[]): Promise<NodeRow[]> {
    const { self } = this.options;
    const alive = seen.filter((node) => node.host !== self.host || (node.pid === self.pid ? ownNodes.has(node.id) : isRunning(node.pid)));
    for (const node of seen) if (!alive.includes(node)) await this.bury(node);
    return alive;
  }

  private async bury({ id }: NodeRow): Promise<void> {
    const dead = await this.options.nodes.bury(id);
    if (dead) this.options.onDead({ id, ...dead });
  }
}
