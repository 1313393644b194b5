/**
 * Several engine processes behind one port: TypeScript runs on one core, users' machines have more. The parent accepts connections and gives each to
 * a member (group/placement.ts says to which), starts members again when they die, answers HTTP for all, and stops them together. A member that
 * takes part is a whole node on the database; the others stand by, ready to take part within a moment.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import type { Address, Config } from './config.js';
import { Machine } from './engine/load/machine.js';
import { Member } from './group/member.js';
import { type Gathering, type MemberView, type Move, nextStep, placeConnection } from './group/placement.js';
import type { Logger } from './log.js';
import { joinMetrics } from './metrics-of-group.js';
import { bindAddress, cannotListen } from './transport/grpc/bind-address.js';
import { createHttpServer } from './transport/http/http-server.js';

/** A member that dies is replaced after so long; one that dies again and again does not take the machine with it. */
const RESTART_MS = 500;
/** On top of the members' own grace. */
const STOP_MARGIN_MS = 5_000;
const LOOK_MS = 1_000;
/** Connections that were told to go elsewhere come again within this. */
const MOVE_MS = 10_000;
const GATHER_MS = 2_500;
/** Connections that wait for a member to serve them; more, and those that wait too long, are closed. */
const WAITING_MAX = 10_000;
const WAITING_MS = 10_000;

export interface ProcessGroup {
  start(): Promise<{ grpcAddress: string; httpAddress: string }>;
  stop(): Promise<void>;
}

export function createProcessGroup({ config, log, processes }: { config: Config; log: Logger; processes: number }): ProcessGroup {
  const group = new Group({ ...config, http: undefined }, log);
  const http = config.http && createHttpServer({ ...config.http, readiness: async () => group.readiness(), metrics: () => group.metrics(), log });
  return {
    async start() {
      const grpcAddress = await group.start(processes);
      return { grpcAddress, httpAddress: http ? await http.start() : '' };
    },
    async stop() {
      await http?.stop();
      await group.stop();
    },
  };
}

class Group {
  private readonly members = new Map<number, Member>();
  private readonly machine = new Machine(() => performance.now());
  private readonly server: Server;
  private grpcAddress = '';
  private stopping = false;
  private looking: NodeJS.Timeout | undefined;
  private readonly waiting = new Map<Socket, NodeJS.Timeout>();
  /** Where connections come again that were told to: so many of the next go there. */
  private moving: { to: number; left: number; untilMs: number } | undefined;

  constructor(
    private readonly config: Config,
    private readonly log: Logger,
  ) {
    this.server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.accept(socket));
  }

  /** The first member migrates the database and serves; then the port opens, while the others make themselves ready. */
  async start(processes: number): Promise<string> {
    await this.fork(0);
    await this.members.get(0)?.start();
    for (let slot = 1; slot < processes; slot++) this.fork(slot).catch((error) => this.failed(slot, error));
    this.grpcAddress = await listen(this.server, this.config.grpc);
    for (const member of this.members.values()) this.tellAddress(member);
    this.looking = setInterval(() => {
      for (const member of this.members.values()) member.watch();
      this.look();
    }, LOOK_MS);
    this.look();
    return this.grpcAddress;
  }

  readiness(): { ready: boolean; reason?: string } {
    const ready = [...this.members.values()].some(({ state }) => state === 'ready');
    return ready ? { ready: true } : { ready: false, reason: 'no engine process is ready' };
  }

  /** The metrics of all members, each sample with its process. */
  async metrics(): Promise<string> {
    const members = [...this.members.values()].sort((a, b) => a.slot - b.slot);
    return joinMetrics(await Promise.all(members.map(async (member) => [member.slot, await member.metrics()] as const)));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.looking);
    this.server.close();
    for (const socket of this.waiting.keys()) socket.destroy();
    const limitMs = this.config.shutdownGraceMs + STOP_MARGIN_MS;
    await Promise.all([...this.members.values()].map((member) => member.stop(limitMs)));
  }

  /** Starts the process of a slot; resolves when it stands by. */
  private fork(slot: number): Promise<void> {
    const member: Member = new Member(slot, this.config, Date.now, {
      onReady: () => {
        this.tellAddress(member);
        this.serveWaiting();
        this.look();
      },
      onMoving: (connections) => {
        if (this.moving) this.moving.left = connections;
        if (connections > 0) this.log.info({ from: slot, to: this.moving?.to, connections }, 'an engine process sends callers to another');
      },
      onExit: (code, signal) => this.ended(member, code, signal),
    });
    this.members.set(slot, member);
    return member.prepared;
  }

  private ended(member: Member, code: number | null, signal: NodeJS.Signals | null): void {
    const { slot } = member;
    if (this.members.get(slot) === member) this.members.delete(slot);
    if (this.stopping) return;
    if (member.state !== 'ending') this.log.warn({ process: slot, code, signal }, 'an engine process ended; it is started again');
    this.look(); // another takes its place at once
    setTimeout(() => this.again(slot), RESTART_MS);
  }

  private again(slot: number): void {
    if (this.stopping || this.members.has(slot)) return;
    this.fork(slot).catch((error) => this.failed(slot, error));
  }

  private failed(slot: number, error: unknown): void {
    if (!this.stopping) this.log.error({ err: error, process: slot }, 'an engine process could not be started');
  }

  private tellAddress(member: Member): void {
    if (this.grpcAddress !== '') member.say({ type: 'serves', grpcAddress: this.grpcAddress });
  }

  private accept(socket: Socket): void {
    socket.on('error', () => undefined);
    const member = this.placeFor();
    if (member) {
      member.take(socket);
      return;
    }
    if (this.stopping || this.waiting.size >= WAITING_MAX) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), WAITING_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      this.waiting.delete(socket);
    });
    this.waiting.set(socket, timer);
    this.look();
  }

  private placeFor(): Member | undefined {
    const nowMs = Date.now();
    const { moving } = this;
    if (moving && moving.left > 0 && moving.untilMs > nowMs) {
      const to = this.members.get(moving.to);
      if (to?.state === 'ready') {
        moving.left--;
        return to;
      }
    }
    const slot = placeConnection([...this.members.values()], this.config.placement, nowMs);
    return slot === undefined ? undefined : this.members.get(slot);
  }

  private serveWaiting(): void {
    for (const [socket, timer] of this.waiting) {
      const member = this.placeFor();
      if (!member) return;
      clearTimeout(timer);
      this.waiting.delete(socket);
      member.take(socket);
    }
  }

  /** Does what the load of the members asks for. */
  private look(): void {
    if (this.stopping || !this.looking) return;
    const nowMs = Date.now();
    const spare = (1 - this.machine.utilization()) * availableParallelism();
    const members: readonly MemberView[] = [...this.members.values()];
    if (this.moving && this.moving.untilMs > nowMs) return; // what was moved shows its effect first
    const step = nextStep(members, this.config.placement, spare, nowMs);
    if (!step) return;
    const member = this.members.get('from' in step ? step.from : step.slot);
    if (step.type === 'start') member?.start().catch((error) => this.failed(step.slot, error));
    else if (step.type === 'move') this.move(member, step, nowMs);
    else if (step.type === 'gather') this.gather(member, step, nowMs);
    else void member?.stop(this.config.shutdownGraceMs + STOP_MARGIN_MS);
  }

  private move(member: Member | undefined, { to, share }: Move, nowMs: number): void {
    this.moving = { to, left: Number.POSITIVE_INFINITY, untilMs: nowMs + MOVE_MS }; // it says how many
    member?.say({ type: 'move', share });
  }

  private gather(member: Member | undefined, { to, queues }: Gathering, nowMs: number): void {
    this.moving = { to, left: Number.POSITIVE_INFINITY, untilMs: nowMs + GATHER_MS };
    member?.say({ type: 'gather', queues });
  }
}

function listen(server: Server, { host, port }: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, port, error)));
    server.listen({ host, port, backlog: 511 }, () => {
      const bound = server.address();
      resolve(bindAddress(host, typeof bound === 'object' && bound !== null ? bound.port : port));
    });
  });
}
