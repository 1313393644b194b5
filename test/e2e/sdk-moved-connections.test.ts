/**
 * Connections go from one engine process to another and back while workers and clients work: nothing is lost, and nothing waits for a timeout that brings
 * a lost task back. Once with our SDK, once with the official one.
 */
import { randomUUID } from 'node:crypto';
import { createServer as listenAt, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../server/config.js';
import type { Logger } from '../../server/log.js';
import { createServer, type PerdureServer } from '../../server/server.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { type ClientKit, officialClientKit, officialWorkerKit, ourClientKit, ourWorkerKit, type WorkerKit } from './sdk/kits.js';

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

const kits: [string, WorkerKit, ClientKit][] = [
  ['our SDK', ourWorkerKit, ourClientKit],
  ['the official SDK', officialWorkerKit, officialClientKit],
];

describe.each(kits)('connections of %s that are moved under load', (_name, workerKit, clientKit) => {
  it('lose nothing and wait for no timeout', { timeout: 120_000 }, async () => {
    const taskQueue = `moved-${randomUUID()}`;
    const worker = await workerKit.start(address, taskQueue);
    const { client, close } = await clientKit.connect(address);
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
    const busy = Promise.all(Array.from({ length: 10 }, keepBusy));
    await until('the first to be done', () => took.length > 0, 60_000);
    took.length = 0;
    const moved: number[] = [];
    for (let move = 1; move <= MOVES; move++) {
      const before = took.length;
      await until('work to go on', () => took.length >= before + 5, 30_000);
      const from = to;
      to = 1 - from;
      moved.push(members[from]!.connections.move(1));
    }
    going = false;
    await busy;
    expect(Math.min(...moved)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...took)).toBeLessThan(LOST_MS);
    await close();
    await worker.stop();
  });
});

describe.each(kits)('a client of %s whose worker is in another process', (_name, workerKit, clientKit) => {
  it('is sent there, and works on', { timeout: 60_000 }, async () => {
    const taskQueue = `apart-${randomUUID()}`;
    to = 0;
    const worker = await workerKit.start(address, taskQueue);
    await until('the worker to poll', () => members[0]!.connections.queueUse().polled.includes(`default/${taskQueue}`));
    to = 1;
    const { client, close } = await clientKit.connect(address);
    const work = (): Promise<string> => client.workflow.execute('oneActivity', { taskQueue, workflowId: `apart-${randomUUID()}`, args: ['x'] });
    const first = await work();
    expect(members[1]!.connections.queueUse().strays).toContain(`default/${taskQueue}`);
    to = 0;
    expect(members[1]!.connections.gather([`default/${taskQueue}`])).toBe(1);
    expect(await work()).toBe(first);
    expect(members.map(({ connections }) => connections.queueUse().strays.includes(`default/${taskQueue}`))).toEqual([false, false]);
    await close();
    await worker.stop();
  });
});
