/** The benchmarks as a stranger uses them: what there is, what was mistyped, and what is left behind when one is interrupted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const FOLDER = fileURLToPath(new URL('../../bench/', import.meta.url));
const COMMANDS = ['all', 'closed-runs', 'footprint', 'handover', 'long-run', 'overload', 'overload-cases', 'payloads', 'processes', 'replay', 'run', 'sdk', 'startup', 'timers'];

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'perdure-bench-test-'));
});
afterAll(() => rm(temporary, { recursive: true, force: true }));

const start = (args: string[]): ChildProcess =>
  spawn(process.execPath, [join(FOLDER, `${args[0]}.mjs`), ...args.slice(1)], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: temporary } });

const output = async (child: ChildProcess) => {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, text };
};

test('every command of the folder is tried here', async () => {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.mjs'));
  expect(files.sort()).toEqual(COMMANDS.map((name) => `${name}.mjs`).sort());
});

describe.each(COMMANDS)('%s', (command) => {
  test('says what it does and what it takes', async () => {
    const { code, text } = await output(start([command, '--help']));
    expect(text).toMatch(/node (--expose-gc )?bench\//);
    expect(text).toMatch(/--json <file>/);
    expect(code).toBe(0);
  });

  test('names an option that there is not, without a stack', async () => {
    const { code, text } = await output(start([command, '--secnods', '3']));
    expect(text).toContain('--secnods');
    expect(text).not.toContain('    at ');
    expect(code).toBe(2);
  });
});

test.each([
  [['run', '--seconds', 'long'], 2, '--seconds: expected a number above 0, got long'],
  [['run', '--scenario', 'one-activity,nothing'], 2, '--scenario: expected some of one-activity, sequential, ten-step, signal, got one-activity,nothing'],
  [['run', '--address', 'here'], 2, '--address: expected host:port, got here'],
  [['run', '--address', '127.0.0.1:1'], 1, '--address: nobody answers at 127.0.0.1:1'],
  [['timers', '--address', '127.0.0.1:1'], 2, '--address: needs --database-url as well'],
  [['processes', '--address', '127.0.0.1:1'], 2, '--address: not here, it starts engines of its own'],
  [['long-run', '--database-url', 'postgres://nobody@127.0.0.1:1/nothing'], 1, '--database-url: connect ECONNREFUSED 127.0.0.1:1'],
  [['all', '--only', 'footprint,nothing'], 2, '--only: expected some of'],
])('%j ends with %i and a line', async (args, expected, line) => {
  const { code, text } = await output(start(args));
  expect(text).toContain(line);
  expect(text).not.toContain('    at ');
  expect(code).toBe(expected);
});

test('an interrupted one takes its engine, its database and its folder with it', async () => {
  const child = start(['timers', '--count', '200000']);
  const ended = output(child);
  const underWay = new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => String(chunk).includes('Database') && resolve()); // the engine says where it is
    child.once('exit', () => reject(new Error('it ended by itself')));
  });
  await underWay;
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 130 }); // `close` comes once nobody holds its standard error: engine, worker and client are gone
  expect(await readdir(temporary)).toEqual([]);
});
