// An engine of its own for one run of the scenarios: empty, on a free port, ended with the run.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../prepare.mjs';

const READY_WITHIN_MS = 60_000;
const LOG = join(ROOT, '.perdure', 'golden', 'engine.log');

const EXIT_WITH_PARENT = pathToFileURL(join(ROOT, 'scripts', 'exit-with-parent.mjs')).href;

const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

const accepts = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (outcome) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });

/** Starts it and waits until it listens. Its log goes to a file, whose end is shown when it does not come up. */
export const startEngine = async () => {
  const port = await freePort();
  mkdirSync(join(ROOT, '.perdure', 'golden'), { recursive: true });
  const log = openSync(LOG, 'w');
  const args = [
    join(ROOT, 'cli', 'bin', 'perdure.js'),
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--headless',
    '--log-level',
    'info',
    '--log-format',
    'json',
  ];
  // nothing of the shell's may change what is compared, and whatever becomes of this process, the engine ends with it
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'DATABASE_URL' && !name.startsWith('PERDURE_')));
  const child = spawn(process.execPath, ['--import', EXIT_WITH_PARENT, ...args], { cwd: ROOT, env, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  let ended = false;
  const end = new Promise((resolve) => child.once('close', resolve)).then(() => (ended = true));
  const stop = async () => {
    child.kill('SIGTERM');
    await end;
  };
  const until = Date.now() + READY_WITHIN_MS;
  while (!(await accepts(port))) {
    if (ended || Date.now() > until) {
      await stop();
      throw new Error(
        `the engine ${ended ? 'ended' : `was not ready within ${READY_WITHIN_MS / 1000} s`}; its log ends with\n${readFileSync(LOG, 'utf8').slice(-3000)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { address: `127.0.0.1:${port}`, stop, log: LOG, hasEnded: () => ended };
};
