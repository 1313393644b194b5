/**
 * Several engines on one database under load, while everything around them breaks: they are killed each second and frozen, PostgreSQL is stopped and
 * started, its connections are terminated, notifications are lost, the network is cut. In the end every workflow has its result, once.
 * Short by default; `npm run chaos -- --seconds 300` makes it long.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../server/postgres/embedded-postgres.js';
import { killAfterEach } from '../helpers/perdure-process.js';
import { until } from '../helpers/until.js';
import { Calls } from './calls.js';
import { checkDatabase } from './checker.js';
import { Cluster, type NodeProcess } from './cluster.js';
import { Load } from './load.js';
import { Network } from './network.js';
import { ChaosWorker } from './worker.js';

const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 18);
const LONG = SECONDS >= 60;
const FROZEN_MS = LONG ? 20_000 : 2_500;
const CUT_MS = LONG ? 10_000 : 1_500;
const PAUSE_MS = LONG ? 1_500 : 700;
const SHOWN_MAX = 50;

killAfterEach();
let postgres: EmbeddedPostgres | undefined;
afterEach(async () => {
  await postgres?.stop();
  postgres = undefined;
});

class Trouble {
  readonly count: Record<string, number> = {};
  readonly network: Network;
  private readonly under = new Set<NodeProcess>();

  constructor(
    private readonly cluster: Cluster,
    private readonly server: EmbeddedPostgres,
    network: Network,
  ) {
    this.network = network;
  }

  private note(what: string): void {
    this.count[what] = (this.count[what] ?? 0) + 1;
  }

  /** One that serves and is left in peace so far, when there are that many. */
  private pick(atLeast: number): NodeProcess | undefined {
    const free = this.cluster.nodes.filter((node) => node.address !== '' && !this.under.has(node));
    return free.length < atLeast ? undefined : free[Math.floor(Math.random() * free.length)];
  }

  private async with(node: NodeProcess | undefined, work: (node: NodeProcess) => Promise<void>): Promise<void> {
    if (!node) return;
    this.under.add(node);
    try {
      await work(node);
    } finally {
      this.under.delete(node);
    }
  }

  /** Unless it is the only one that serves: engines that are dead all the time show nothing. */
  kill = (): Promise<void> =>
    this.with(this.pick(this.cluster.nodes[0]!.processes > 1 ? 1 : 2), async (node) => {
      await node.kill();
      this.note('killed');
      if (!node.running) await node.start();
    });

  freeze = async (): Promise<void> =>
    this.with(await until('a node to freeze', () => this.pick(1), 30_000), async (node) => {
      node.freeze();
      this.note('frozen');
      await sleep(FROZEN_MS);
      node.wake();
      await sleep(500); // what it remembers it may try to write now
    });

  cut = async (): Promise<void> => {
    this.network.cut();
    this.note('network cut');
    await sleep(CUT_MS);
    this.network.heal();
  };

  closeNetwork = async (): Promise<void> => {
    this.network.closeAll();
    this.note('network closed');
    await sleep(CUT_MS);
    this.network.heal();
  };

  /** SIGINT: PostgreSQL ends sessions and stops; SIGQUIT: it stops where it stands, and recovers when it starts again. */
  stopDatabase = async (signal: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
    const pid = Number(readFileSync(join(this.server.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(pid, signal);
    this.note(signal === 'SIGINT' ? 'PostgreSQL stopped fast' : 'PostgreSQL stopped immediate');
    await sleep(1_000);
  };

  terminateConnections = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: this.server.url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'perdure%' and pid <> pg_backend_pid()",
      );
      this.note('connections terminated');
    } catch {
      // it is just being restarted
    } finally {
      await client.end().catch(() => undefined);
    }
  };
}

/** `pg_notify` that says nothing, found before the real one. */
async function loseNotifications(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create schema mute; create function mute.pg_notify(text, text) returns void language sql as 'select';
    alter database perdure set search_path = mute, pg_catalog, public`);
  await client.end();
}

interface Plan {
  readonly nodes: number;
  /** Of each node; default 1. */
  readonly processes?: number;
  readonly seconds: number;
  readonly muted?: boolean;
  /** What happens, by the second at which it begins; kills come each second besides. */
  readonly troubles: (trouble: Trouble) => readonly (() => Promise<void>)[];
}

async function survive({ nodes, processes = 1, seconds, muted, troubles }: Plan): Promise<void> {
  postgres = await startEmbeddedPostgres({ durable: true });
  if (muted) await loseNotifications(postgres.url);
  const network = await Network.to(postgres.url);
  const cluster = new Cluster({ databaseUrl: postgres.url });
  for (let i = 0; i < nodes; i++) await cluster.add(i === 0 ? network.url : undefined, processes);
  const calls = new Calls(() => cluster.addresses());
  const worker = new ChaosWorker(calls, 4);
  const load = new Load(calls);
  const trouble = new Trouble(cluster, postgres, network);
  const untilMs = Date.now() + seconds * 1000;
  const goOn = (): boolean => Date.now() < untilMs;
  const working = load.run(LONG ? 12 : 6, goOn);
  const going: Promise<void>[] = [];
  const failed: unknown[] = [];
  const begin = (work: Promise<void>): void => void going.push(work.catch((error) => void failed.push(error)));
  begin(oneAfterTheOther(troubles(trouble), goOn));
  while (goOn()) {
    begin(trouble.kill());
    await sleep(1_000);
  }
  await Promise.all(going);
  expect(failed).toEqual([]);
  const troubleOver = performance.now();
  await working;
  const recoveryMs = performance.now() - troubleOver;
  await load.askAgain();
  calls.close();
  await worker.stop();
  await cluster.stop();
  await network.close();
  const checked = await checkDatabase(postgres.url);
  const losses = load.losses(checked, worker);
  report({ calls, load, trouble, checked, losses, recoveryMs, nodes, processes, muted: muted === true });
  expect(cluster.nodes.flatMap((node) => node.failures)).toEqual([]);
  expect(checked.problems).toEqual([]);
  expect(losses).toEqual([]);
  expect(load.results).toBe(load.promised.length);
  expect(trouble.count.killed).toBeGreaterThan(0);
}

/** With a moment in between, in which nodes are killed and nothing else happens. */
async function oneAfterTheOther(troubles: readonly (() => Promise<void>)[], goOn: () => boolean): Promise<void> {
  for (let n = 0; ; n++) {
    await sleep(PAUSE_MS);
    if (!goOn()) return;
    await troubles[n % troubles.length]!();
  }
}

interface Facts {
  calls: Calls;
  load: Load;
  trouble: Trouble;
  checked: Awaited<ReturnType<typeof checkDatabase>>;
  losses: string[];
  recoveryMs: number;
  nodes: number;
  processes: number;
  muted: boolean;
}

function report({ calls, load, trouble, checked, losses, recoveryMs, nodes, processes, muted }: Facts): void {
  const doubled = losses.filter((text) => /twice|more than once|times/.test(text)).length;
  const lines = [
    `${nodes} nodes${processes > 1 ? ` of ${processes} processes` : ''}${muted ? ', no notifications' : ''}: ${calls.answered} operations answered, ${calls.repeated} repeated, ${load.results} of ${load.promised.length} workflows with a result, ${checked.events} events`,
    `  troubles: ${Object.entries(trouble.count)
      .map(([what, times]) => `${what} ${times}`)
      .join(', ')}`,
    `  lost ${losses.length - doubled}, doubled ${doubled}, broken invariants ${checked.problems.length}`,
    `  slowest recovery: a call ${Math.round(calls.slowestMs)} ms, a workflow ${Math.round(load.slowestWorkflowMs)} ms, the rest after the last trouble ${Math.round(recoveryMs)} ms`,
  ];
  // a run that is ended from outside should have said what it found
  for (const what of [...losses, ...checked.problems].slice(0, SHOWN_MAX)) lines.push(`  ${what}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

describe('nodes on one database', () => {
  it(
    'lose nothing and do nothing twice while one is killed each second and everything else breaks as well',
    () =>
      survive({
        nodes: LONG ? 3 : 2,
        seconds: SECONDS * 0.6,
        troubles: (t) => [t.freeze, () => t.stopDatabase('SIGQUIT'), t.cut, t.terminateConnections, () => t.stopDatabase('SIGINT'), t.closeNetwork],
      }),
    SECONDS * 1000 + 120_000,
  );

  it(
    'do the same when no notification ever arrives',
    () => survive({ nodes: LONG ? 2 : 3, seconds: SECONDS * 0.4, muted: true, troubles: (t) => [t.closeNetwork, t.freeze, t.cut, t.terminateConnections] }),
    SECONDS * 1000 + 120_000,
  );

  it(
    'do the same when they are processes behind one port',
    () => survive({ nodes: 1, processes: LONG ? 4 : 3, seconds: SECONDS * 0.4, troubles: (t) => [t.freeze, t.terminateConnections, t.cut] }),
    SECONDS * 1000 + 120_000,
  );
});
