/** Engine processes on one database that are killed, frozen and started again, while whoever calls them asks where they are now. */
import { execFileSync } from 'node:child_process';
import { perdure, type Perdure } from '../helpers/perdure-process.js';
import { until } from '../helpers/until.js';

export interface ClusterOptions {
  readonly databaseUrl: string;
  readonly log?: (line: string) => void;
}

/** One place where an engine runs, and runs again after each death. */
export class NodeProcess {
  /** Empty while no engine serves here. */
  address = '';
  deaths = 0;
  /** Ends that were none of a signal's doing. */
  readonly failures: string[] = [];
  private process: Perdure | undefined;
  private over = false;

  constructor(
    readonly name: string,
    readonly databaseUrl: string,
    private readonly env: Readonly<Record<string, string>> = {},
    /** More than one: a group of so many behind one port, all of which take part. One of them is killed or frozen at a time. */
    readonly processes = 1,
  ) {}

  /** Starts an engine here; with a crash point it dies by itself. Resolves when it serves, or is dead before that. */
  async start(crashAt?: string): Promise<void> {
    if (this.over) return;
    const env = { ...this.env, DATABASE_URL: this.databaseUrl, ...(crashAt !== undefined && { PERDURE_CRASH_AT: crashAt }) };
    const process = perdure(
      ['server', 'start', '--port', '0', '--http-port', 'off', '--log-level', 'warn', '--database-pool-size', '6', ...this.groupFlags],
      env,
    );
    this.process = process;
    const dead = process.finished().then(({ code }) => {
      if (this.process !== process) return;
      this.process = undefined;
      this.address = '';
      this.deaths++;
      if (code !== null && !this.over) this.failures.push(`engine ${this.name} ended by itself with code ${code}:\n${process.stderr}`);
    });
    const address = await Promise.race([process.grpcAddress().catch(() => ''), dead.then(() => '')]);
    if (this.process === process) this.address = address;
  }

  private get groupFlags(): string[] {
    return this.processes > 1 ? ['--processes', String(this.processes), '--placement', 'spread'] : [];
  }

  /** A process of the group, any of them. */
  private member(): number | undefined {
    const lines = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' }).split('\n');
    const members = lines
      .map((line) => line.trim().split(/\s+/))
      .filter(([, parent, ...args]) => Number(parent) === this.process?.child.pid && args.join(' ').includes('group-member'));
    return members.length > 0 ? Number(members[Math.floor(Math.random() * members.length)]![0]) : undefined;
  }

  private frozen: number | undefined;

  get running(): boolean {
    return this.process !== undefined;
  }

  get log(): string {
    return this.process?.stderr ?? '';
  }

  /** Waits until the engine has died of its crash point. */
  async died(limitMs = 30_000): Promise<void> {
    await until(`engine ${this.name} to die`, () => !this.running, limitMs);
  }

  async kill(): Promise<void> {
    if (this.processes > 1) {
      const member = this.member();
      if (member !== undefined) signal(member, 'SIGKILL');
      return;
    }
    await this.process?.kill('SIGKILL');
    await until(`engine ${this.name} to be gone`, () => !this.running);
  }

  freeze(): void {
    if (this.processes > 1) {
      this.frozen = this.member();
      if (this.frozen !== undefined) signal(this.frozen, 'SIGSTOP');
      return;
    }
    this.process?.child.kill('SIGSTOP');
  }

  wake(): void {
    if (this.frozen !== undefined) signal(this.frozen, 'SIGCONT');
    this.frozen = undefined;
    if (this.processes > 1) return;
    this.process?.child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.over = true;
    this.wake();
    const process = this.process;
    if (process === undefined) return;
    process.child.kill('SIGCONT');
    const late = setTimeout(() => process.child.kill('SIGKILL'), 5_000);
    await process.kill('SIGTERM');
    clearTimeout(late);
  }
}

/** To a process that may be gone by now. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it is
  }
}

export class Cluster {
  readonly nodes: NodeProcess[] = [];

  constructor(private readonly options: ClusterOptions) {}

  /** @param databaseUrl another way to the same database */
  async add(databaseUrl = this.options.databaseUrl, processes = 1): Promise<NodeProcess> {
    const node = new NodeProcess(`node-${this.nodes.length + 1}`, databaseUrl, {}, processes);
    this.nodes.push(node);
    await node.start();
    return node;
  }

  /** Where engines serve at the moment, as far as is known. */
  addresses(): string[] {
    return this.nodes.map((node) => node.address).filter((address) => address !== '');
  }

  get deaths(): number {
    return this.nodes.reduce((sum, node) => sum + node.deaths, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}
