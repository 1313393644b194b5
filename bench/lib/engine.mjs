/** The engine under test: one of our own on a PostgreSQL of its own, unless an address is given. */
import { spawn } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { listenerOf } from './processes.mjs';

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

/**
 * @param options.flags further flags of `server start`
 * @param options.profile folder for a CPU profile
 * @param options.http give it an HTTP port, for its metrics
 * @returns {Promise<{ address: string, httpAddress?: string, readyMs: number, enginePid?: number, postgresRoot?: number, databaseUrl?: string, stop(): Promise<void> }>}
 */
export async function startEngine({ address, databaseUrl, dataFolder, flags = [], http = false, profile } = {}) {
  if (address) {
    const enginePid = listenerOf(Number(address.split(':').at(-1)));
    return { address, readyMs: 0, enginePid, postgresRoot: enginePid, databaseUrl, stop: async () => undefined };
  }
  const { startEmbeddedPostgres } = await import('../../server/dist/postgres/embedded-postgres.js');
  const postgres = databaseUrl ? undefined : await startEmbeddedPostgres({ maxConnections: 100, folder: dataFolder });
  const port = await freePort();
  const cli = fileURLToPath(new URL('../../cli/bin/perdure.js', import.meta.url));
  const url = databaseUrl ?? postgres.url;
  const httpPort = http ? String(await freePort()) : 'off';
  const args = [cli, 'server', 'start', '--port', String(port), '--http-port', httpPort, '--log-level', 'warn', '--log-format', 'json', ...flags];
  const begin = performance.now();
  const nodeArgs = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, '--cpu-prof-name=engine.cpuprofile'] : [];
  const child = spawn(process.execPath, [...nodeArgs, ...args], { env: { ...process.env, DATABASE_URL: url }, stdio: ['ignore', 'inherit', 'inherit'] });
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
    await postgres?.stop();
  };
  try {
    await waitForPort(port, child);
  } catch (error) {
    await stop();
    throw error;
  }
  const readyMs = performance.now() - begin;
  const httpAddress = http ? `127.0.0.1:${httpPort}` : undefined;
  return { address: `127.0.0.1:${port}`, httpAddress, readyMs, enginePid: child.pid, postgresRoot: process.pid, databaseUrl: url, stop };
}
