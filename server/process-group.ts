/**
 * Several engine processes behind one port: TypeScript runs on one core, users' machines have more. Each member is a whole node on the same
 * database; the parent only starts them again when they die, answers HTTP for all, and stops them together.
 */
import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import type { Logger } from './log.js';
import { joinMetrics } from './metrics-of-group.js';
import { createHttpServer } from './transport/http/http-server.js';

/** What parent and members say to each other. */
export type ToMember = { type: 'start'; config: Config } | { type: 'metrics'; id: number } | { type: 'stop' };
/** A member says hello once it listens: what is said to it before is lost. */
export type FromMember = { type: 'hello' } | { type: 'ready'; grpcAddress: string } | { type: 'failed'; reason: string } | { type: 'metrics'; id: number; text: string };

interface Member {
  readonly slot: number;
  readonly worker: Worker;
  grpcAddress: string;
}

const MEMBER = fileURLToPath(new URL('./group-member.js', import.meta.url));
/** A member that dies is replaced after so long; one that dies again and again does not take the machine with it. */
const RESTART_MS = 500;
const METRICS_MS = 1_000;
/** On top of the members' own grace. */
const STOP_MARGIN_MS = 5_000;

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
  private stopping = false;
  private nextId = 1;

  constructor(
    private readonly config: Config,
    private readonly log: Logger,
  ) {}

  /** The first member binds the port (and migrates the database); the others share it. */
  async start(processes: number): Promise<string> {
    cluster.setupPrimary({ exec: MEMBER, args: [] });
    const address = await this.fork(0);
    await Promise.all(Array.from({ length: processes - 1 }, (_, i) => this.fork(i + 1)));
    return address;
  }

  readiness(): { ready: boolean; reason?: string } {
    const ready = [...this.members.values()].filter((m) => m.grpcAddress !== '').length;
    return ready > 0 ? { ready: true } : { ready: false, reason: 'no engine process is ready' };
  }

  /** The metrics of all members, each sample with its process. */
  async metrics(): Promise<string> {
    const texts = await Promise.all([...this.members.values()].map(async (member) => [member.slot, await this.metricsOf(member)] as const));
    return joinMetrics(texts);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const limitMs = this.config.shutdownGraceMs + STOP_MARGIN_MS;
    await Promise.all([...this.members.values()].map((member) => stopped(member.worker, limitMs)));
  }

  /** Starts the member of a slot; resolves to its address when it serves. */
  private fork(slot: number): Promise<string> {
    const worker = cluster.fork();
    const member: Member = { slot, worker, grpcAddress: '' };
    this.members.set(slot, member);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromMember) => {
        if (message.type === 'hello') worker.send({ type: 'start', config: sendable(this.config) } satisfies ToMember);
        if (message.type === 'failed') reject(new Error(message.reason));
        if (message.type !== 'ready') return;
        member.grpcAddress = message.grpcAddress;
        resolve(message.grpcAddress);
      });
      worker.once('exit', (code, signal) => {
        this.members.delete(slot);
        if (member.grpcAddress === '') reject(new Error(`engine process ${slot} ended before it was ready (${signal ?? `exit code ${code}`})`));
        if (this.stopping) return;
        this.log.warn({ process: slot, code, signal }, 'an engine process ended; it is started again');
        setTimeout(() => this.again(slot), RESTART_MS);
      });
    });
  }

  private again(slot: number): void {
    if (this.stopping || this.members.has(slot)) return;
    this.fork(slot).catch((error) => this.log.error({ err: error, process: slot }, 'an engine process could not be started again'));
  }

  private metricsOf({ worker }: Member): Promise<string> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      const end = (text: string): void => {
        clearTimeout(timer);
        worker.off('message', onMessage);
        resolve(text);
      };
      const onMessage = (message: FromMember): void => {
        if (message.type === 'metrics' && message.id === id) end(message.text);
      };
      const timer = setTimeout(() => end(''), METRICS_MS);
      worker.on('message', onMessage);
      worker.send({ type: 'metrics', id } satisfies ToMember);
    });
  }
}

/** JSON has no Infinity. */
const sendable = (config: Config): Config => ({ ...config, databaseWaitMs: Math.min(config.databaseWaitMs, Number.MAX_SAFE_INTEGER) });

function stopped(worker: Worker, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), limitMs);
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    if (worker.isConnected()) worker.send({ type: 'stop' } satisfies ToMember);
    else worker.process.kill('SIGKILL');
  });
}
