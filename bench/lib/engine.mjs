/** The engine under test: one of our own on a PostgreSQL of its own, unless an address is given. */
import { spawn } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import pg from 'pg';
import { atEnd, CannotRun } from './ending.mjs';
import { listenerOf, postmasterOf } from './processes.mjs';

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function waitForPort(port, child) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (child.exitCode !== null) throw new Error(`The engine ended with code ${child.exitCode}`);
    const open = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('The engine did not open its port within 60 s');
}

/** A sample of an engine's metrics; undefined where it has no HTTP port or no such metric. With several processes their sum. */
export async function metric(engine, name) {
  if (!engine.httpAddress) return undefined;
  const text = await (await fetch(`http://${engine.httpAddress}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (.+)$`, 'gm'))].map((match) => (match[1] === '+Inf' ? Number.POSITIVE_INFINITY : Number(match[1])));
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : undefined;
}

const ANSWER_MS = 5_000;

/** Refuses an address at which nobody answers. */
async function mustAnswer(address) {
  const client = new Client(address, credentials.createInsecure());
  try {
    await new Promise((resolve, reject) => client.waitForReady(Date.now() + ANSWER_MS, (error) => (error ? reject(error) : resolve())));
  } catch {
    throw new CannotRun(`--address: nobody answers at ${address}`);
  } finally {
    client.close();
  }
}

/** Refuses a database that cannot be reached: a server would wait for it. Says which process it is, if it is one of this machine. */
async function mustConnect(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: ANSWER_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return postmasterOf((await client.query('select pg_backend_pid() as pid')).rows[0].pid);
  } catch (error) {
    throw new CannotRun(`--database-url: ${error.message || error.code}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

const isHere = (address) => ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0'].includes(address.slice(0, address.lastIndexOf(':')));

/** A server that somebody else started: what it costs is known if it runs on this machine. */
async function found(address, databaseUrl, httpAddress, postmaster) {
  await mustAnswer(address);
  const enginePid = isHere(address) ? listenerOf(Number(address.split(':').at(-1))) : undefined;
  return { address, httpAddress, readyMs: 0, enginePid, postgresRoot: postmaster ?? enginePid, databaseUrl, stop: async () => undefined };
}

/** `server start` with those flags, in a process of its own. */
export function spawnServer(args, { databaseUrl, profile, stdio = ['ignore', 'inherit', 'inherit'] } = {}) {
  const cli = fileURLToPath(new URL('../../cli/bin/perdure.js', import.meta.url));
  const nodeArgs = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, '--cpu-prof-name=engine.cpuprofile'] : [];
  const child = spawn(process.execPath, [...nodeArgs, cli, 'server', ...args], { env: { ...process.env, DATABASE_URL: databaseUrl ?? '' }, stdio });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = atEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  });
  return { child, stop };
}

/**
 * @param options.flags further flags of `server start`
 * @param options.profile folder for a CPU profile
 * @param options.http give it an HTTP port, for its metrics
 * @param options.httpAddress that of the server that runs already
 * @returns {Promise<{ address: string, httpAddress?: string, readyMs: number, enginePid?: number, postgresRoot?: number, databaseUrl?: string, stop(): Promise<void> }>}
 */
export async function startEngine({ address, httpAddress: given, databaseUrl, dataFolder, flags = [], http = false, profile } = {}) {
  if (address) return found(address, databaseUrl, given, databaseUrl ? await mustConnect(databaseUrl) : undefined);
  const postgres = databaseUrl ? undefined : await startPostgres({ folder: dataFolder });
  const port = await freePort();
  const url = databaseUrl ?? postgres.url;
  const postmaster = await mustConnect(url);
  const httpPort = http ? String(await freePort()) : 'off';
  const begin = performance.now();
  const server = spawnServer(['start', '--port', String(port), '--http-port', httpPort, '--log-level', 'warn', '--log-format', 'json', ...flags], { databaseUrl: url, profile });
  const stop = async () => {
    await server.stop();
    await postgres?.stop();
  };
  try {
    await waitForPort(port, server.child);
  } catch (error) {
    await stop();
    throw error;
  }
  const readyMs = performance.now() - begin;
  const httpAddress = http ? `127.0.0.1:${httpPort}` : undefined;
  return { address: `127.0.0.1:${port}`, httpAddress, readyMs, enginePid: server.child.pid, postgresRoot: postmaster ?? process.pid, databaseUrl: url, stop };
}

/** The embedded PostgreSQL, fsync on. */
export async function startPostgres({ folder } = {}) {
  const { startEmbeddedPostgres } = await import('../../server/dist/postgres/embedded-postgres.js').catch((error) => {
    throw error.code === 'ERR_MODULE_NOT_FOUND' ? new CannotRun(`nothing is compiled yet (npm install && npm run build): ${error.message}`) : error;
  });
  const postgres = await startEmbeddedPostgres({ maxConnections: 100, folder });
  return { url: postgres.url, stop: atEnd(() => postgres.stop()) };
}
