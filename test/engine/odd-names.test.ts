/** Names that mean something to JavaScript are names like any other, wherever users choose one: through commits, cache losses, snapshots and replays. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enums, type temporal } from '../../server/core/api.js';
import { command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { acceptAll, send, UpdateStories } from '../helpers/updates.js';

const database = useDatabase();
let node: EngineNode;
let story: UpdateStories;
const ODD = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '$b', '0', 'é', ' '];
/** A memo, headers and the like: one field for each odd name. */
const fields = (value: unknown) => Object.fromEntries(ODD.map((name) => [name, json(value).payloads![0]!]));

beforeAll(async () => {
  node = new EngineNode(database.url);
  story = new UpdateStories(node);
  await node.addNamespace('default');
});
afterAll(async () => {
  await node.expectFoldsToLive();
  await node.close();
});

/** What the node remembered is gone: the next transition reads the snapshot. */
async function forget(workflowId: string): Promise<void> {
  node.engine.cache.drop((await node.describe(workflowId)).workflowExecutionInfo!.execution!.runId!);
}
const cancelTimer = (timerId: string) => ({ commandType: enums.CommandType.COMMAND_TYPE_CANCEL_TIMER, cancelTimerCommandAttributes: { timerId } });
const again = async (workflowId: string) => {
  await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: 'again' });
};

describe.each(ODD)('%s', (name) => {
  const id = `w-${ODD.indexOf(name)}`;

  it('as a timer', async () => {
    const workflowId = `${id}-timer`;
    await node.start(workflowId);
    await node.step(workflowId, [command.timer(name, 5), command.timer('other', 60)]);
    await forget(workflowId);
    await again(workflowId);
    const task = await node.poll(workflowId);
    await expect(node.complete(task, [command.timer(name, 5)])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('StartTimerDuplicateId') });
    await node.step(workflowId, [cancelTimer(name)]);
    await again(workflowId);
    await node.step(workflowId, [command.timer(name, 5)]);
    await forget(workflowId);
    await node.forward(6_000);
    const fired = (await node.events(workflowId)).flatMap((e) => e.timerFiredEventAttributes?.timerId ?? []);
    expect(fired).toEqual([name]);
    await forget(workflowId);
    await node.step(workflowId, [cancelTimer('other'), command.complete()]);
  });

  it('as a timer that was never started', async () => {
    const workflowId = `${id}-no-timer`;
    await node.start(workflowId);
    const task = await node.poll(workflowId);
    await expect(node.complete(task, [cancelTimer(name)])).rejects.toMatchObject({ message: expect.stringContaining('BadCancelTimerAttributes') });
  });

  it('as a request id', async () => {
    const workflowId = `${id}-request`;
    const first = await node.start(workflowId, { requestId: name });
    expect(await node.start(workflowId, { requestId: name })).toBe(first);
    await forget(workflowId);
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: 's', requestId: name });
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: 's', requestId: name });
    expect((await node.story(workflowId)).filter((e) => e === 'WORKFLOW_EXECUTION_SIGNALED')).toHaveLength(1);
    expect(Object.keys((await node.describe(workflowId)).workflowExtendedInfo!.requestIdInfos!)).toEqual([name]);
    const other = `${id}-attached`;
    await node.start(other);
    const attach = { workflowIdConflictPolicy: 2, onConflictOptions: { attachRequestId: true }, requestId: name };
    for (let i = 0; i < 2; i++) await node.start(other, attach);
    expect((await node.story(other)).filter((e) => e === 'WORKFLOW_EXECUTION_OPTIONS_UPDATED')).toHaveLength(1);
    await expect(node.start(`${id}-third`, { ...attach, requestId: 'x' })).resolves.toBeTruthy();
  });

  it('as an activity, a signal, an update, a query, a workflow id', async () => {
    const workflowId = name.trim() || 'blank';
    await node.start(workflowId, { taskQueue: { name: id } });
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: name });
    await node.step(id, [command.activity(name, `${id}-act`)]);
    await forget(workflowId);
    await node.rpc('RespondActivityTaskCompletedById', { workflowId, activityId: name, result: json(name) });
    await node.step(id);
    const answer = send(node, workflowId, name);
    await story.admitted(workflowId, 1);
    await forget(workflowId);
    const task = await node.poll(id);
    await node.complete(task, ...acceptAll(task));
    expect((await answer).outcome).toMatchObject({ success: {} });
    const polled = node.rpc('QueryWorkflow', { execution: { workflowId }, query: { queryType: name } });
    const query = await node.poll(id);
    expect(query.query!.queryType).toBe(name);
    await node.rpc('RespondQueryTaskCompleted', { taskToken: query.taskToken, completedType: 1, queryResult: json(name) }, '');
    expect((await polled).queryResult.payloads).toHaveLength(1);
    expect((await node.describe(workflowId)).workflowExecutionInfo!.execution!.workflowId).toBe(workflowId);
  });
});

describe('all of them', () => {
  it('in a memo and in headers, from the start, by command and over continue-as-new', async () => {
    await node.start('memo', { memo: { fields: fields(1) }, header: { fields: fields(2) } });
    const modify = {
      commandType: enums.CommandType.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
      modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields: { ...fields(3), constructor: { metadata: { encoding: Buffer.from('binary/null') } } } } },
    };
    await node.step('memo', [modify]);
    await forget('memo');
    const memo = (await node.describe('memo')).workflowExecutionInfo!.memo!.fields!;
    expect(Object.keys(memo).sort()).toEqual(ODD.filter((name) => name !== 'constructor').sort());
    await node.start('bare');
    await node.step('bare', [modify]);
    expect(Object.keys((await node.describe('bare')).workflowExecutionInfo!.memo!.fields!)).toContain('__proto__');
    await again('memo');
    await node.step('memo', [command.continueAsNew({ header: { fields: fields(4) }, memo: { fields: fields(5) } })]);
    const [started] = await node.events('memo');
    const { header, memo: carried } = started!.workflowExecutionStartedEventAttributes as temporal.api.history.v1.WorkflowExecutionStartedEventAttributes;
    for (const map of [header!.fields!, carried!.fields!]) expect(Object.keys(map).sort()).toEqual([...ODD].sort());
  });

  it('as search attributes: found by them when registered, refused when not', async () => {
    const names = ODD.filter((name) => name !== '__proto__');
    await expect(node.start('unknown', { searchAttributes: { indexedFields: { constructor: json('x').payloads![0]! } } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const { addAttributes } = await import('../../server/engine/search-attribute-calls.js');
    const T = enums.IndexedValueType;
    await addAttributes(node.engine, await node.engine.registry.require('default'), Object.fromEntries(names.map((name) => [name, T.INDEXED_VALUE_TYPE_KEYWORD])));
    await node.start('found', { searchAttributes: { indexedFields: Object.fromEntries(names.map((name) => [name, json(`v-${name}`).payloads![0]!])) } });
    for (const name of names) {
      const { executions } = await node.rpc('ListWorkflowExecutions', { query: `\`${name}\` = 'v-${name}'` });
      expect(executions, name).toHaveLength(1);
    }
  });
});
