/** Workers that say how they are: found while they keep saying it, by query and page by page, at every node. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { sweepRetentionOnce } from '../../server/loops/retention-sweeper.js';
import { EngineNode, ManualClock } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';

const database = useDatabase();
const clock = new ManualClock();
let node: EngineNode;
let other: EngineNode;
let namespace: string;
let count = 0;

beforeAll(() => {
  node = new EngineNode(database.url, { clock, others: true });
  other = new EngineNode(database.url, { clock, others: true });
});
beforeEach(async () => {
  namespace = `ns-${count++}`;
  await node.addNamespace(namespace);
});
afterAll(() => Promise.all([node.close(), other.close()]));

const RUNNING = 1;
const SHUTDOWN = 3;
const record = (...workerHeartbeat: object[]) =>
  node.rpc('RecordWorkerHeartbeat', { workerHeartbeat: workerHeartbeat.map((h) => ({ status: RUNNING, ...h })) }, namespace);
const list = (request: object = {}, at = node) => at.rpc('ListWorkers', request, namespace);
const keys = async (query = '') => (await list({ query })).workers.map((w: { workerInstanceKey: string }) => w.workerInstanceKey);
const find = (workerInstanceKey: string) => node.rpc('DescribeWorker', { workerInstanceKey }, namespace);

it('the latest word of a worker counts, and is told at every node', async () => {
  await record({ workerInstanceKey: 'w1', taskQueue: 'q', totalStickyCacheHit: 1 });
  await record(
    { workerInstanceKey: 'w2' },
    { workerInstanceKey: 'w1', taskQueue: 'q', totalStickyCacheHit: 2, hostInfo: { hostName: 'h', processId: '7' } },
  );
  const { workers, workersInfo } = await list({}, other);
  expect(workers).toMatchObject([
    { workerInstanceKey: 'w1', taskQueue: 'q', status: RUNNING, hostName: 'h', processId: '7' },
    { workerInstanceKey: 'w2' },
  ]);
  expect(workersInfo[0].workerHeartbeat.totalStickyCacheHit).toBe(2);
  expect((await find('w1')).workerInfo.workerHeartbeat).toMatchObject({ totalStickyCacheHit: 2 });
  expect(Number((await node.rpc('CountWorkers', { query: "TaskQueue = 'q'" }, namespace)).count)).toBe(1);
});

it('one that has stopped is forgotten at once, also when ShutdownWorker says so, and a silent one after five minutes', async () => {
  await record({ workerInstanceKey: 'a' }, { workerInstanceKey: 'b' }, { workerInstanceKey: 'c' }, { workerInstanceKey: 'd' });
  await record({ workerInstanceKey: 'a', status: SHUTDOWN });
  await node.rpc('ShutdownWorker', { workerInstanceKey: 'b', workerHeartbeat: { workerInstanceKey: 'b', status: SHUTDOWN } }, namespace);
  expect(await keys()).toEqual(['c', 'd']);
  clock.forward(4 * 60_000);
  await record({ workerInstanceKey: 'd' });
  clock.forward(60_001);
  expect(await keys()).toEqual(['d']);
  await expect(find('c')).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'Worker c not found' });
  await sweepRetentionOnce(node.engine);
  const rows = await node.engine.database.query({ text: "select 1 from workers where worker_instance_key = 'c'" });
  expect(rows).toEqual([]);
});

it('pages are in the order of the keys, and the last has no token', async () => {
  await record(...['e', 'b', 'd', 'a', 'c'].map((workerInstanceKey) => ({ workerInstanceKey })));
  const pages: string[][] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await list({ pageSize: 2, nextPageToken });
    pages.push(page.workers.map((w: { workerInstanceKey: string }) => w.workerInstanceKey));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  await expect(list({ nextPageToken: Buffer.from('none of ours') })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

it('queries', async () => {
  const at = (iso: string) => ({ seconds: Date.parse(iso) / 1000, nanos: 0 });
  await record(
    {
      workerInstanceKey: 'a',
      workerIdentity: '1@host',
      taskQueue: 'orders',
      sdkName: 'perdure',
      sdkVersion: '1.2.0',
      startTime: at('2026-01-01T00:00:00Z'),
    },
    {
      workerInstanceKey: 'b',
      taskQueue: 'mail',
      status: 2,
      deploymentVersion: { deploymentName: 'd', buildId: '7' },
      startTime: at('2026-02-01T00:00:00Z'),
    },
    { workerInstanceKey: 'c', taskQueue: 'orders-low', hostInfo: { hostName: 'x' } },
    { workerInstanceKey: 'system', taskQueue: 'temporal-sys-work' },
  );
  const found: [string, string[]][] = [
    ["TaskQueue = 'orders'", ['a']],
    ["TaskQueue starts_with 'orders'", ['a', 'c']],
    ["TaskQueue not starts_with 'orders'", ['b']],
    ["TaskQueue != 'orders' AND HostName IS NULL", ['b']],
    ["WorkerStatus = 'Running' OR BuildId = '7'", ['a', 'b', 'c']],
    ["Status = 'ShuttingDown'", ['b']],
    ["WorkerStatus = 'WORKER_STATUS_SHUTTING_DOWN'", ['b']],
    ["StartTime >= '2026-01-15T00:00:00Z'", ['b']],
    ["StartTime BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T00:00:00Z'", ['a']],
    ['StartTime IS NULL', ['c']],
    ["SdkName = 'perdure' AND (DeploymentName = 'd' OR WorkerIdentity = '1@host')", ['a']],
    ["NOT TaskQueue = 'mail'", ['a', 'c']],
    ["TaskQueue IN ('mail', 'orders')", ['a', 'b']],
    ["InvalidField = 'foo'", []],
    ["taskqueue = 'orders'", []],
    ["TaskQueue > 'a'", []],
  ];
  for (const [query, expected] of found) expect([query, await keys(query)]).toEqual([query, expected]);
  await expect(list({ query: 'TaskQueue =' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(list({ query: "where TaskQueue = 'a'" })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect((await list({ includeSystemWorkers: true })).workers).toHaveLength(4);
});

it('mistakes, and what is switched off', async () => {
  await record();
  await expect(record({ workerInstanceKey: 'x'.repeat(1_001) })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(record({ workerInstanceKey: 'a\0b' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(find('a\0b')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(node.rpc('ListWorkers', {}, 'nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const refused = (method: string) => expect(node.rpc(method, {}, namespace)).rejects;
  await refused('ListWorkflowRules').toMatchObject({ code: 'UNIMPLEMENTED', message: 'method ListWorkflowRules not supported' });
  await refused('FetchWorkerConfig').toMatchObject({ code: 'UNIMPLEMENTED', message: 'FetchWorkerConfig command is not enabled.' });
  await expect(node.rpc('ListWorkflowRules', {}, 'nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const { namespaceInfo } = await node.rpc('DescribeNamespace', {}, namespace);
  expect(namespaceInfo.capabilities.workerHeartbeats).toBe(true);
});
