/** How soon a node of the same host is known to be dead, and what its survivors do about it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isRunning, thisHost } from '../../server/loops/host.js';
import { NodeWatch } from '../../server/loops/node-watch.js';
import { Database } from '../../server/storage/database.js';
import { Nodes } from '../../server/storage/nodes.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

let test: TestDatabase;
let database: Database;
beforeEach(async () => {
  test = await createDatabase();
  database = new Database({ url: test.url, poolSize: 2, onError: () => undefined });
});
afterEach(async () => {
  await database.close();
  await test.drop();
});

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as never;

it('one that is killed is known to be dead long before it would be missed, once', async () => {
  const nodes = new Nodes(database);
  const other = { id: randomUUID(), host: thisHost(), pid: 0, startedMs: 1 };
  const process = spawn('sleep', ['60']);
  await nodes.seen({ ...other, pid: process.pid! }, Date.now(), false);
  const dead: string[] = [];
  let others: boolean | undefined;
  const watch = new NodeWatch({
    nodes,
    self: { id: randomUUID(), host: thisHost(), pid: globalThis.process.pid, startedMs: 2 },
    now: Date.now,
    log: silent,
    onOthers: (there) => (others = there),
    greet: async () => {},
    onDead: ({ id }) => dead.push(id),
  });
  await watch.join();
  watch.loop.start();
  await until('it to have looked', () => others === true);
  process.kill('SIGKILL');
  await once(process, 'exit');
  const killed = performance.now();
  await until('the other to be known to be dead', () => dead.length > 0);
  expect(performance.now() - killed).toBeLessThan(1_500);
  await until('this one to believe itself alone', () => others === false);
  expect(dead).toEqual([other.id]);
  await watch.loop.stop();
  await watch.leave();
});

it('one of the same number in another room of processes is not taken for dead', async () => {
  const nodes = new Nodes(database);
  const elsewhere = { id: randomUUID(), host: `${thisHost()} elsewhere`, pid: 0x3fffff, startedMs: 1 };
  await nodes.seen(elsewhere, Date.now(), false);
  const dead: string[] = [];
  const watch = new NodeWatch({ nodes, self: { id: randomUUID(), host: thisHost(), pid: process.pid, startedMs: 2 }, now: Date.now, log: silent, onOthers: () => {}, greet: async () => {}, onDead: ({ id }) => dead.push(id) });
  await watch.join();
  expect(dead).toEqual([]);
  await watch.leave();
});

it.runIf(process.platform === 'linux')('one that only waits to be buried by its parent is dead', async () => {
  const parent = spawn('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [pid] = (await once(parent.stdout!, 'data')) as [Buffer];
  await until('it to be dead', () => !isRunning(Number(pid.toString())));
  expect(() => process.kill(Number(pid.toString()), 0)).not.toThrow();
  parent.kill('SIGKILL');
});
