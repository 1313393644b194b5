/** One member of a group as its parent knows it: the process, how far it is, what it has to do. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.js';
import type { FromMember, MemberLoad, ToMember } from './messages.js';
import { type MemberView, sinceWhen } from './placement.js';

const MEMBER = fileURLToPath(new URL('../start-group-member.js', import.meta.url));
const METRICS_MS = 1_000;
/** A connection that a member does not take within this is ended. */
const TAKEN_MS = 3_000;
/** Looks are counted, not time: a machine that was put to sleep ends nobody. */
const SILENT_LOOKS_MAX = 15;
/** A start may wait for a database that does not answer. */
const STARTING_LOOKS_MAX = 60;

export interface MemberEvents {
  /** It stands by, or takes part: something may be asked of it now. */
  onReady(): void;
  /** So many connections come again. */
  onMoving(connections: number): void;
  onExit(code: number | null, signal: NodeJS.Signals | null): void;
}

/** What somebody waits for. */
interface Step {
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

export class Member implements MemberView {
  state: MemberView['state'] = 'loading';
  load: MemberLoad = { cpu: 0, connections: 0 };
  toldMs = 0;
  fullSinceMs: number | undefined;
  idleSinceMs: number | undefined;
  /** Resolves when it stands by; rejects when it cannot. */
  readonly prepared: Promise<void>;
  private readonly process: ChildProcess;
  private step: Step = { done: () => undefined, failed: () => undefined };
  private nextId = 1;
  /** Connections that are on their way to it. */
  private readonly handing = new Map<number, { socket: Socket; timer: NodeJS.Timeout }>();
  private silentLooks = 0;
  private readonly exited: Promise<void>;

  constructor(
    readonly slot: number,
    config: Config,
    private readonly now: () => number,
    private readonly events: MemberEvents,
  ) {
    this.process = fork(MEMBER);
    this.prepared = this.nextStep();
    this.process.on('error', () => undefined); // a message that could not be sent: the end of the process says why
    this.process.on('message', (message: FromMember) => this.heard(message, config));
    this.exited = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => {
        resolve();
        for (const id of [...this.handing.keys()]) this.handedOver(id, 'refused');
        this.step.failed(new Error(`engine process ${slot} ended before it was ready (${signal ?? `exit code ${code}`})`));
        events.onExit(code, signal);
      });
    });
  }

  /** Lets it take part; resolves when it does. */
  start(): Promise<void> {
    this.state = 'starting';
    this.silentLooks = 0;
    const started = this.nextStep();
    this.say({ type: 'start' });
    return started;
  }

  private nextStep(): Promise<void> {
    return new Promise((done, failed) => {
      this.step = { done, failed };
    });
  }

  say(message: ToMember): void {
    if (this.process.connected) this.process.send(message, () => undefined);
  }

  /** Hands a connection over. It is ended when the member does not take it, because it dies or is frozen: its caller connects again. */
  take(socket: Socket): void {
    this.load = { ...this.load, connections: this.load.connections + 1 };
    const id = this.nextId++;
    const timer = setTimeout(() => this.handedOver(id, 'refused'), TAKEN_MS);
    this.handing.set(id, { socket, timer });
    if (!this.process.connected) this.handedOver(id, 'refused');
    else this.process.send({ type: 'connection', id } satisfies ToMember, socket, { keepOpen: true }, (error) => error && this.handedOver(id, 'refused'));
  }

  private handedOver(id: number, how: 'taken' | 'refused'): void {
    const handed = this.handing.get(id);
    if (!handed) return;
    this.handing.delete(id);
    clearTimeout(handed.timer);
    // what the member has taken stays open there; what lies in the queue of a frozen one has to be ended in words
    if (how === 'taken') handed.socket.destroy();
    else handed.socket.destroySoon();
  }

  metrics(): Promise<string> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      const end = (text: string): void => {
        clearTimeout(timer);
        this.process.off('message', onMessage);
        resolve(text);
      };
      const onMessage = (message: FromMember): void => {
        if (message.type === 'metrics' && message.id === id) end(message.text);
      };
      const timer = setTimeout(() => end(''), METRICS_MS);
      this.process.on('message', onMessage);
      this.say({ type: 'metrics', id });
    });
  }

  /** Called for each look of the parent: one that has said nothing for so many of them is ended. Its callers come again, and find another. */
  watch(): void {
    const most = this.state === 'ready' ? SILENT_LOOKS_MAX : this.state === 'starting' ? STARTING_LOOKS_MAX : Number.POSITIVE_INFINITY;
    if (++this.silentLooks >= most) this.process.kill('SIGKILL');
  }

  /** Ends it, by force after so long. */
  async stop(limitMs: number): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.state = 'ending';
    const timer = setTimeout(() => this.process.kill('SIGKILL'), limitMs);
    if (this.process.connected) this.say({ type: 'stop' });
    else this.process.kill('SIGKILL');
    await this.exited;
    clearTimeout(timer);
  }

  private ready(state: 'standby' | 'ready'): void {
    this.state = state;
    this.step.done();
    this.events.onReady();
  }

  private heard(message: FromMember, config: Config): void {
    switch (message.type) {
      case 'hello':
        this.say({ type: 'prepare', config: sendable(config) });
        break;
      case 'prepared':
        this.ready('standby');
        break;
      case 'started':
        this.toldMs = this.now();
        this.silentLooks = 0;
        this.ready('ready');
        break;
      case 'failed':
        this.step.failed(new Error(message.reason));
        break;
      case 'load':
        this.toldMs = this.now();
        this.silentLooks = 0;
        this.load = message.load;
        Object.assign(this, sinceWhen(this, message.load, this.toldMs));
        break;
      case 'moving':
        this.events.onMoving(message.connections);
        break;
      case 'taken':
        this.handedOver(message.id, 'taken');
        break;
      case 'metrics':
        break;
    }
  }
}

/** JSON has no Infinity. */
const sendable = (config: Config): Config => ({ ...config, databaseWaitMs: Math.min(config.databaseWaitMs, Number.MAX_SAFE_INTEGER) });
