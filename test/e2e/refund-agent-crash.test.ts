/** The refund agent while everything around it is killed, as `kill -9` does it: the engine, PostgreSQL, the worker, and all of them at once. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startScriptedEndpoint, type ScriptedEndpoint } from '../examples/refund-agent/scripted-endpoint.js';
import { Perdure, run } from '../helpers/perdure-process.js';
import { until } from '../helpers/until.js';
import { executed, Stage } from './refund-agent-kit.js';

const CLI = fileURLToPath(new URL('../../cli/bin/perdure.js', import.meta.url));

/** An engine with its embedded PostgreSQL, as `npm start` starts it. */
class EngineOnDisk {
  address = '';
  databaseUrl = '';
  private process: Perdure | undefined;

  constructor(private readonly folder: string) {}

  async start(): Promise<void> {
    const port = this.address.split(':').pop() || '0';
    const args = [CLI, 'server', 'start-dev', '--db-filename', join(this.folder, 'data'), '--port', port, '--http-port', 'off', '--log-level', 'warn'];
    const { DATABASE_URL, ...env } = process.env;
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const started = new Perdure(child);
    this.process = started;
    const ready = new Promise<{ grpcAddress: string; databaseUrl: string }>((resolve, reject) => {
      child.on('message', (message) => resolve(message as { grpcAddress: string; databaseUrl: string }));
      void started.finished().then(({ code, stdout, stderr }) => reject(new Error(`The engine ended with ${code}: ${stdout}${stderr}`)));
    });
    const { grpcAddress, databaseUrl } = await ready;
    this.address = grpcAddress;
    this.databaseUrl = databaseUrl;
  }

  async kill(): Promise<void> {
    await this.process?.kill('SIGKILL');
  }

  /** Kills PostgreSQL's first process, as it writes it down in its data directory. */
  async killPostgres(): Promise<void> {
    const socketFolder = new URL(this.databaseUrl).searchParams.get('host')!;
    const lock = await readFile(join(socketFolder, '.s.PGSQL.5432.lock'), 'utf8');
    process.kill(Number(lock.split('\n')[0]), 'SIGKILL');
  }
}

let folder: string;
let engine: EngineOnDisk;
let endpoint: ScriptedEndpoint;
let stage: Stage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refund-agent-'));
  engine = new EngineOnDisk(folder);
  await engine.start();
  endpoint = await startScriptedEndpoint();
  stage = new Stage({ databaseUrl: engine.databaseUrl, address: engine.address });
});
afterAll(async () => {
  await stage.end();
  await engine.kill();
  await endpoint.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 200 });
});

it('goes on after the last finished step, executes none again, asks the model once for each, and refunds once', async () => {
  await stage.seed();
  const holds = { first: endpoint.hold('round-1'), second: endpoint.hold('round-2'), last: endpoint.hold('answer') };
  await stage.worker(endpoint.environment);
  const shown = stage.start('run.js');

  // the engine, while the model thinks
  await holds.first.came;
  await engine.kill();
  await engine.start();
  holds.first.release();

  // PostgreSQL, while the model thinks again; the engine starts it again by itself
  await holds.second.came;
  await engine.killPostgres();
  holds.second.release();

  // everything at once, while the run waits for a person
  await shown.said(/npx perdure approve refund-dispute-1007/, 60_000);
  await engine.killPostgres();
  await Promise.all([engine.kill(), stage.killWorkers()]);
  await engine.start();
  const list = await run(['approvals', 'list', '--address', engine.address]);
  expect(list.stdout).toMatch(/refund-dispute-1007 +refund +open/);

  // decided while no worker is up; then a worker comes, and the engine is killed once more
  expect(await run(['approve', 'refund-dispute-1007', '--reason', 'fine', '--by', 'anna', '--address', engine.address])).toMatchObject({ code: 0 });
  await stage.worker(endpoint.environment);
  await holds.last.came;
  await engine.kill();
  await engine.start();
  holds.last.release();

  const { code, stdout } = await shown.finished();
  expect(code).toBe(0);
  const steps = stdout.split('\n').flatMap((line) => /^\d\d:\d\d:\d\d {2}refund-dispute-1007 {2}(\w+)/.exec(line)?.[1] ?? []);
  const round = ['plan', 'check', 'query', 'checkpoint'];
  expect(steps.filter((step) => step !== 'workflow')).toEqual(['start', 'hydrate', ...round, ...round, ...round, 'plan', 'check', 'validate', 'approval', 'approval', 'refund', 'answer', 'close', 'end']);
  expect(endpoint.counts()).toEqual({ 'round-1': 1, 'round-2': 1, 'round-3': 1, 'round-4': 1, answer: 1 });
  expect(await executed(await stage.client(), 'refund-dispute-1007')).toMatchObject({ open: 0, twice: [] });
  expect(await stage.rows('select dispute_id, amount_cents, approved_by from shop.refunds')).toEqual([{ dispute_id: 1007, amount_cents: 24_900, approved_by: 'anna' }]);
}, 240_000);

it('asks again for the one answer that nobody heard: a worker killed while the model thinks', async () => {
  endpoint.asked.length = 0;
  const hold = endpoint.hold('round-2');
  const client = await stage.client();
  await stage.killWorkers();
  await stage.worker(endpoint.environment);
  const shown = stage.start('run.js', {}, '1022');
  await hold.came;
  const keys = (): string[] => endpoint.asked.filter((asked) => asked.idempotencyKey?.endsWith('round-2')).map((asked) => asked.idempotencyKey!);
  await stage.killWorkers();
  hold.release();
  await stage.worker(endpoint.environment);
  await until('the second question', () => keys().length === 2, 60_000);
  expect(new Set(keys()).size).toBe(1); // under the same key, by which an endpoint may know it
  await shown.said(/npx perdure approve refund-dispute-1022/, 60_000);
  expect(endpoint.counts()).toEqual({ 'round-1': 1, 'round-2': 2, 'round-3': 1, 'round-4': 1 });
  expect(await executed(client, 'refund-dispute-1022')).toMatchObject({ open: 0, twice: [], attempts: { askModel: 2 } });
}, 120_000);
