import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { identityOf, postmasterOf } from '../../server/postgres/processes.js';
import { Perdure, run } from '../helpers/perdure-process.js';
import { until } from '../helpers/until.js';

const START = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));

let scratch: string;
let started: Perdure[];

beforeEach(async () => {
  started = [];
  scratch = await mkdtemp(join(tmpdir(), 'npm-start-'));
  await chmod(scratch, 0o755);
});

afterEach(async () => {
  await Promise.all(started.map((one) => one.kill('SIGKILL')));
  await until('what was started to be gone', () => postmasterOf(join(scratch, 'data')) === undefined);
  await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
});

/** As `npm start` does it, without a terminal, with data and ports of its own and the scripted model. */
const npmStart = (more: NodeJS.ProcessEnv = {}): Perdure => {
  const { DATABASE_URL: _url, OPENAI_BASE_URL: _base, OPENAI_API_KEY: _key, PERDURE_MODEL: _model, ...env } = process.env;
  const child = spawn(process.execPath, [START], { env: { ...env, PERDURE_DATA_DIR: scratch, PERDURE_GRPC_PORT: '0', PERDURE_HTTP_PORT: '0', ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
  const one = new Perdure(child);
  started.push(one);
  return one;
};

/** Processes below another one, by what is in their command line. */
const childOf = (parent: number, pattern: RegExp): number =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        const ppid = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
        return ppid === parent && pattern.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      } catch {
        return false; // it has ended meanwhile
      }
    }) ?? 0;

it('refuses a clock that skips time, whatever the database', async () => {
  for (const more of [{}, { DATABASE_URL: 'postgres://localhost/shop' }]) {
    const { code, stdout, stderr } = await npmStart({ ...more, PERDURE_TIME_SKIPPING: 'unlocked' }).finished();
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/expected PERDURE_TIME_SKIPPING to be off, got unlocked/);
  }
});

it('brings a run to a human, outlives the death of everything it started, and goes on from there the next time', { timeout: 240_000 }, async () => {
  const first = npmStart();
  const [, workflowId = ''] = await first.said(/npx perdure approve (\S+)/, 90_000);
  const pid = first.child.pid ?? 0;

  const worker = childOf(pid, /worker\.js/);
  process.kill(worker, 'SIGKILL');
  await first.said(/The worker ended \(SIGKILL\); starting it again/);
  process.kill(childOf(pid, /start-dev/), 'SIGKILL');
  await first.said(/The engine ended \(SIGKILL\); starting it again/);
  const address = await until('the engine at its address again', async () => {
    const at = /gRPC +(\S+)/.exec(first.stdout)?.[1] ?? '';
    return (await run(['workflow', 'show', workflowId, '--address', at])).code === 0 ? at : undefined;
  }, 60_000);
  process.kill(postmasterOf(join(scratch, 'data')) ?? 0, 'SIGKILL');
  await until('an answer again', async () => (await run(['approvals', 'list', '--address', address])).stdout.includes(workflowId), 60_000);

  // Ctrl-C, and the next start finds the run as it was
  first.child.kill('SIGINT');
  expect((await first.finished()).code).toBe(0);
  expect(childOf(pid, /node/)).toBe(0);
  const second = npmStart();
  await second.said(/npx perdure approve/, 90_000);
  const again = await second.grpcAddress();
  const decision = await run(['approve', workflowId, '--reason', 'the statement shows it', '--address', again]);
  expect(decision.stderr).toBe('');
  expect(decision.code).toBe(0);
  await second.said(/The run is over/, 60_000);

  // no step was done twice: each activity was completed once
  const history = JSON.parse((await run(['workflow', 'show', workflowId, '--address', again, '-o', 'json'])).stdout) as { events: { eventType: string }[] };
  const count = (type: string): number => history.events.filter((event) => event.eventType === type).length;
  expect(count('EVENT_TYPE_ACTIVITY_TASK_COMPLETED')).toBe(count('EVENT_TYPE_ACTIVITY_TASK_SCHEDULED'));
  expect(count('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED')).toBe(1);

  // killed itself, it takes along what it started
  const engine = childOf(second.child.pid ?? 0, /start-dev/);
  const postgres = postmasterOf(join(scratch, 'data')) ?? 0;
  await second.kill('SIGKILL');
  await until('the engine to be gone', () => identityOf(engine) === undefined, 30_000);
  await until('PostgreSQL to be gone', () => identityOf(postgres) === undefined, 30_000);
});
