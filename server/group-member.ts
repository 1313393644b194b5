/** One engine process of a group: stands by when its parent says so, takes part when it says so, ends when it says so or is gone. */
import type { Socket } from 'node:net';
import type { Config } from './config.js';
import { type FromMember, LOAD_TOLD_MS, type ToMember } from './group/messages.js';
import { createLogger } from './log.js';
import { createServer, type PerdureServer } from './server.js';

let server: PerdureServer | undefined;
let ending = false;

const say = (message: FromMember): void => {
  process.send?.(message);
};

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    say({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}

async function prepare(config: Config): Promise<void> {
  server = await createServer({ config, log: createLogger(config.log), handed: true });
  say({ type: 'prepared' });
}

async function start(): Promise<void> {
  await server?.start();
  say({ type: 'started' });
  tellLoad();
}

/** A second of computing of one processor is 1. */
function tellLoad(): void {
  let before = process.cpuUsage();
  let beforeMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    const cpu = (user + system) / 1_000 / (nowMs - beforeMs);
    if (server) say({ type: 'load', load: { cpu, connections: server.connections.size, ...server.connections.queueUse() } });
    beforeMs = nowMs;
  }, LOAD_TOLD_MS).unref();
}

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await server?.stop().catch(() => undefined);
  process.exit(0);
}

function take(id: number, socket: Socket | undefined): void {
  say({ type: 'taken', id });
  if (!socket) return; // it was closed on its way
  if (server && !ending) server.connections.take(socket);
  else socket.destroy();
}

process.on('message', (message: ToMember, socket: Socket | undefined) => {
  switch (message.type) {
    case 'prepare':
      return void attempt(() => prepare(message.config));
    case 'start':
      return void attempt(start);
    case 'serves':
      return server?.serves(message.grpcAddress);
    case 'connection':
      return take(message.id, socket);
    case 'move':
      return say({ type: 'moving', connections: server?.connections.move(message.share) ?? 0 });
    case 'gather':
      return say({ type: 'moving', connections: server?.connections.gather(message.queues) ?? 0 });
    case 'metrics':
      return say({ type: 'metrics', id: message.id, text: server?.metrics() ?? '' });
    case 'stop':
      return void end();
  }
});
process.on('disconnect', () => void end());
// a terminal sends these to every process at once; the parent says when it is time
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
say({ type: 'hello' });
