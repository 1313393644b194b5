/** Builds of workers in lists: shown and asked for without being in the index. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { enums } from '../../server/core/api.js';
import { command, EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';

const database = useDatabase();
let node: EngineNode;
const ODD = 'a"b]\\c, "buildIds":["x"]';

beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
  await node.start('new');
  await node.start('plain');
  await node.step('plain', [command.complete()]);
  await node.start('odd', { searchAttributes: { indexedFields: {} } });
  await node.complete(await node.poll('odd'), [command.timer('"buildIds":["t"]', 60), command.timer('buildIds', 60)], { workerVersionStamp: { buildId: ODD } });
});
afterAll(() => node.close());

const list = async (query: string): Promise<string[]> =>
  (await node.rpc('ListWorkflowExecutions', { query })).executions.map((e: { execution: { workflowId: string } }) => e.execution.workflowId).sort();
const buildsOf = async (workflowId: string): Promise<unknown> => {
  const { executions } = await node.rpc('ListWorkflowExecutions', { query: `WorkflowId = '${workflowId}'` });
  const field = executions[0].searchAttributes?.indexedFields?.BuildIds;
  return field && { type: Buffer.from(field.metadata.type).toString(), value: JSON.parse(Buffer.from(field.data).toString()) };
};

it('a run shows them as soon as a worker has completed a task of it', async () => {
  expect(await buildsOf('new')).toBeUndefined();
  expect(await buildsOf('plain')).toEqual({ type: 'KeywordList', value: ['unversioned'] });
  expect(await buildsOf('odd')).toEqual({ type: 'KeywordList', value: ['unversioned', `unversioned:${ODD}`] });
  const described = (await node.describe('odd')).workflowExecutionInfo!.searchAttributes!.indexedFields!['BuildIds']!;
  expect(JSON.parse(Buffer.from(described.data!).toString())).toEqual(['unversioned', `unversioned:${ODD}`]);
});

it('a run whose state is large shows them too', async () => {
  await node.start('large');
  await node.complete(await node.poll('large'), Array.from({ length: 200 }, (_, i) => command.timer(`timer-${i}-${'x'.repeat(50)}`, 60)), { workerVersionStamp: { buildId: 'b' } });
  expect(await buildsOf('large')).toEqual({ type: 'KeywordList', value: ['unversioned', 'unversioned:b'] });
  await node.rpc('DeleteWorkflowExecution', { workflowExecution: { workflowId: 'large' } });
});

it('runs are found by them', async () => {
  expect(await list('BuildIds IS NOT NULL')).toEqual(['odd', 'plain']);
  expect(await list('BuildIds IS NULL')).toEqual(['new']);
  expect(await list("BuildIds = 'unversioned'")).toEqual(['odd', 'plain']);
  expect(await list("BuildIds != 'unversioned'")).toEqual(['new']);
  expect(await list(`BuildIds IN ('nobody', 'unversioned:${ODD.replaceAll('\\', '\\\\')}')`)).toEqual(['odd']);
  for (const inside of ['x', 't']) expect(await list(`BuildIds = '${inside}'`), inside).toEqual([]);
  expect((await node.rpc('CountWorkflowExecutions', { query: "BuildIds = 'unversioned'" })).count).toBe(2);
});

it('what a caller sets itself counts as well', async () => {
  const value = { metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('KeywordList') }, data: Buffer.from('["mine"]') };
  await node.start('set', { searchAttributes: { indexedFields: { BuildIds: value } } });
  expect(await list("BuildIds = 'mine'")).toEqual(['set']);
});

it('older lists know open from closed', async () => {
  const old = async (method: string, more: object) =>
    (await node.rpc(method, { startTimeFilter: {}, ...more })).executions.map((e: { execution: { workflowId: string } }) => e.execution.workflowId).sort();
  expect(await old('ListClosedWorkflowExecutions', {})).toEqual(['plain']);
  expect(await old('ListClosedWorkflowExecutions', { statusFilter: { status: enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED } })).toEqual([]);
  expect(await old('ListOpenWorkflowExecutions', {})).toEqual(['new', 'odd', 'set']);
});
