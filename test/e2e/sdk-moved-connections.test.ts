/**
 * Connections go from one engine process to another and back while workers and clients work: nothing is lost, and nothing waits for a timeout that brings
 * a lost task back.
 */
import { randomUUID } from 'node:crypto';
import { createServer as listenAt, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../server/config.js';
import type { Logger } from '../../server/log.js';
import { createServer, type PerdureServer } from '../../server/server.js';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { Worker } from '../../worker-sdk/worker/index.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { installOurRuntime } from './sdk/kits.js';

const quiet = (): void => undefined;
const log = { fatal: quiet, error: quiet, warn: quiet, info: quiet, debug: quiet, trace: quiet, child: () => log } as unknown as Logger;
/** A task that was lost comes back when its timeout of ten seconds is over. */
const LOST_MS = 8_000;
const MOVES = 6;

const database = useDatabase();
const members: PerdureServer[] = [];
let accepting: Server;
let address = '';
/** Where new connections go. */
let to = 0;

beforeAll(async () => {
  for (let i = 0; i < 2; i++) {
    const config = readConfig({}, { databaseUrl: database.url, httpPort: 'off', shutdownGraceMs: '200ms', databasePoolSize: '6' });
    const member = await createServer({ config, log, handed: true });
    await member.start();
    members.push(member);
  }
  accepting = listenAt((socket) => members[to]!.connections.take(socket)).listen(0, '127.0.0.1');
  await new Promise((resolve) => accepting.once('listening', resolve));
  address = `127.0.0.1:${(accepting.address() as { port: number }).port}`;
});
afterAll(async () => {
  accepting.close();
  await Promise.all(members.map((member) => member.stop()));
});

describe('connections that are moved under load', () => {
  it('lose nothing and wait for no timeout', { timeout: 90_000 }, async () => {
    installOurRuntime();
    const connections = await Promise.all([Connection.connect({ address }), Connection.connect({ address })]);
    const taskQueue = `moved-${randomUUID()}`;
    const worker = await Worker.create({
      connection: connections[0],
      taskQueue,
      workflowsPath: fileURLToPath(new URL('./sdk/impatient.ts', import.meta.url)),
      activities: { echo: async (value: string) => value },
    });
    const client = new Client({ connection: connections[1] });
    let going = true;
    const took: number[] = [];
    const keepBusy = async (): Promise<void> => {
      while (going) {
        const begin = performance.now();
        const result = await client.workflow.execute('manySteps', { taskQueue, workflowId: `moved-${randomUUID()}`, args: [3] });
        expect(result).toEqual(['0', '1', '2']);
        took.push(performance.now() - begin);
      }
    };
    const sizes: number[] = [];
    await worker.runUntil(async () => {
      const busy = Promise.all(Array.from({ length: 10 }, keepBusy));
      for (let move = 1; move <= MOVES; move++) {
        const before = took.length;
        await until('work to go on', () => took.length >= before + 5, 30_000);
        const from = to;
        to = move % 2;
        sizes.push(members[from]!.connections.move(1));
      }
      going = false;
      await busy;
    });
    expect(sizes.every((size) => size >= 2)).toBe(true);
    expect(took.length).toBeGreaterThan(20);
    expect(Math.max(...took)).toBeLessThan(LOST_MS);
    await Promise.all(connections.map((connection) => connection.close()));
  });
});
