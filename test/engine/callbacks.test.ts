/** Completion callbacks, called over real HTTP: when, how often, and by whom. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { enums, type temporal } from '../../server/core/api.js';
import { command, EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

interface Told {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

const database = useDatabase();
const told: Told[] = [];
/** What the other side answers, by path, one after the other; 200 when nothing is left. */
const answers = new Map<string, { status: number; headers?: Record<string, string>; never?: true }[]>();
let url = '';
const outside = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  told.push({ path: request.url!, headers: request.headers, body });
  const { status, headers, never } = answers.get(request.url!)?.shift() ?? { status: 200 };
  if (!never) response.writeHead(status, headers).end();
});
let node: EngineNode;

beforeAll(async () => {
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
  node = new EngineNode(database.url);
  await node.addNamespace('default');
});
afterAll(async () => {
  await node.expectFoldsToLive();
  await node.close();
  outside.closeAllConnections();
  await new Promise((resolve) => outside.close(resolve));
});
beforeEach(() => {
  told.length = 0;
});

const S = enums.CallbackState;
const to = (path: string, header: Record<string, string> = {}) => ({ nexus: { url: `${url}${path}`, header } });
const callbacksOf = async (workflowId: string, runId = ''): Promise<temporal.api.workflow.v1.ICallbackInfo[]> => (await node.describe(workflowId, runId)).callbacks!;
const stateOf = async (workflowId: string, runId = ''): Promise<number> => (await callbacksOf(workflowId, runId))[0]!.state!;
const reaches = (workflowId: string, state: number, runId = '') => until(`callback state ${state}`, async () => (await stateOf(workflowId, runId)) === state);
const heard = (path: string) => told.filter((t) => t.path === path);

describe('a callback', () => {
  it('waits for the end of its run and is told the result', async () => {
    await node.start('done', { completionCallbacks: [to('/done', { 'X-Token': 'secret' })] });
    expect(await callbacksOf('done')).toMatchObject([{ state: S.CALLBACK_STATE_STANDBY, trigger: { workflowClosed: {} } }]);
    await node.step('done', [command.complete({ a: 1 })]);
    await reaches('done', S.CALLBACK_STATE_SUCCEEDED);
    expect(told).toMatchObject([
      { path: '/done', body: '{"a":1}', headers: { 'x-token': 'secret', 'nexus-operation-state': 'succeeded', 'content-type': 'application/json', 'content-length': '7' } },
    ]);
    expect(await callbacksOf('done')).toMatchObject([{ attempt: 1, lastAttemptFailure: undefined, nextAttemptScheduleTime: undefined }]);
    expect(await node.messagesLeft()).toBe(0);
  });

  it('is told of a failure, a cancel, a termination and a timeout', async () => {
    const endings: [string, () => Promise<unknown>, string][] = [
      ['fails', () => node.step('fails', [command.fail('no')]), 'failed no'],
      ['cancels', () => node.step('cancels', [command.cancel()]), 'canceled operation canceled'],
      ['terminated', () => node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'terminated' } }), 'failed operation terminated'],
      ['times-out', () => node.forward(5_000), 'failed operation exceeded internal timeout'],
    ];
    for (const [workflowId, end, expected] of endings) {
      await node.start(workflowId, { completionCallbacks: [to(`/${workflowId}`)], workflowRunTimeout: { seconds: 5 } });
      await end();
      await reaches(workflowId, S.CALLBACK_STATE_SUCCEEDED);
      const [{ headers, body }] = heard(`/${workflowId}`) as [Told];
      expect(`${headers['nexus-operation-state']} ${(JSON.parse(body) as { message: string }).message}`).toBe(expected);
    }
  });

  it('is called again, later and later, until it gets through', async () => {
    answers.set('/flaky', [{ status: 503 }, { status: 302, headers: { location: `${url}/elsewhere` } }]);
    await node.start('flaky', { completionCallbacks: [to('/flaky')] });
    await node.step('flaky', [command.complete()]);
    await reaches('flaky', S.CALLBACK_STATE_BACKING_OFF);
    const [first] = await callbacksOf('flaky');
    expect(first).toMatchObject({ attempt: 1, lastAttemptFailure: { message: 'handler error (UNAVAILABLE)', applicationFailureInfo: {} } });
    expect(first!.nextAttemptScheduleTime).toBeTruthy();
    await node.deliverAfter(500);
    expect(heard('/flaky')).toHaveLength(1);
    await node.deliverAfter(500);
    await reaches('flaky', S.CALLBACK_STATE_BACKING_OFF);
    await until('the second call', async () => (await callbacksOf('flaky'))[0]!.attempt === 2);
    expect(heard('/elsewhere'), 'redirects are not followed').toEqual([]);
    await node.deliverAfter(1_000);
    expect(heard('/flaky')).toHaveLength(2);
    await node.deliverAfter(1_000);
    await reaches('flaky', S.CALLBACK_STATE_SUCCEEDED);
    expect(await callbacksOf('flaky')).toMatchObject([{ attempt: 3, lastAttemptFailure: undefined }]);
    expect(await node.messagesLeft()).toBe(0);
  });

  it('that is refused for good is not called again', async () => {
    answers.set('/gone', [{ status: 404 }]);
    await node.start('gone', { completionCallbacks: [to('/gone')] });
    await node.step('gone', [command.complete()]);
    await reaches('gone', S.CALLBACK_STATE_FAILED);
    expect(await callbacksOf('gone')).toMatchObject([{ attempt: 1, lastAttemptFailure: { message: 'handler error (NOT_FOUND)', applicationFailureInfo: { nonRetryable: true } } }]);
    await node.deliverAfter(3_600_000);
    expect(heard('/gone')).toHaveLength(1);
    expect(await node.messagesLeft()).toBe(0);
  });

  it('that nobody answers, or that cannot be reached, is tried again', async () => {
    await node.start('unreachable', { completionCallbacks: [{ nexus: { url: 'http://127.0.0.1:9/none?token=secret' } }, { nexus: { url: `${url}/bad`, header: { 'bad name': 'x' } } }] });
    await node.step('unreachable', [command.complete()]);
    await reaches('unreachable', S.CALLBACK_STATE_BACKING_OFF);
    const [out, bad] = await callbacksOf('unreachable');
    expect(out!.lastAttemptFailure!.message).toMatch(/^Post "http:\/\/127\.0\.0\.1:9\/none": .*ECONNREFUSED/);
    await until('the bad header', async () => (await callbacksOf('unreachable'))[1]!.state === S.CALLBACK_STATE_FAILED);
    expect(bad).toBeDefined();
  });
});

describe('a chain', () => {
  it('hands callbacks on by continue-as-new and retry, and tells of its end once', async () => {
    const first = await node.start('chain', { completionCallbacks: [to('/chain')], retryPolicy: { maximumAttempts: 2 } });
    await node.step('chain', [command.continueAsNew({ retryPolicy: { maximumAttempts: 2 } })]);
    await node.forward(1_000);
    await node.step('chain', [command.fail('once')]);
    await node.forward(2_000);
    expect(told).toEqual([]);
    expect(await stateOf('chain', first)).toBe(S.CALLBACK_STATE_STANDBY);
    await node.step('chain', [command.complete('end')]);
    await reaches('chain', S.CALLBACK_STATE_SUCCEEDED);
    expect(told).toMatchObject([{ path: '/chain', body: '"end"' }]);
  });

  it('of a schedule tells of its first run', async () => {
    const first = await node.start('cron', { completionCallbacks: [to('/cron')], cronSchedule: '* * * * *' });
    await node.forward(60_000);
    await node.step('cron', [command.complete('first')]);
    await reaches('cron', S.CALLBACK_STATE_SUCCEEDED, first);
    expect(told).toMatchObject([{ body: '"first"' }]);
    expect(await callbacksOf('cron')).toEqual([]);
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'cron' } });
  });

  it('that is reset goes on: the new run tells', async () => {
    const first = await node.start('reset', { completionCallbacks: [to('/reset')] });
    await node.step('reset', [command.timer('t', 1000)]);
    await node.rpc('ResetWorkflowExecution', { workflowExecution: { workflowId: 'reset', runId: first }, workflowTaskFinishEventId: 4, requestId: 'r' });
    expect(await stateOf('reset', first)).toBe(S.CALLBACK_STATE_STANDBY);
    await node.step('reset', [command.complete('again')]);
    await reaches('reset', S.CALLBACK_STATE_SUCCEEDED);
    expect(told).toMatchObject([{ path: '/reset', body: '"again"' }]);
  });
});

describe('attached later', () => {
  const join = (workflowId: string, requestId: string, completionCallbacks: object[]) =>
    node.start(workflowId, {
      requestId,
      completionCallbacks,
      workflowIdConflictPolicy: enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
      onConflictOptions: { attachRequestId: true, attachCompletionCallbacks: true, attachLinks: true },
    });

  it('each is called, with a link to the request that brought it', async () => {
    await node.start('joined', { completionCallbacks: [to('/joined/1')] });
    await join('joined', 'second', [to('/joined/2')]);
    await join('joined', 'second', [to('/joined/2')]);
    await node.step('joined', [command.complete()]);
    await until('both calls', async () => (await callbacksOf('joined')).every((c) => c.state === S.CALLBACK_STATE_SUCCEEDED));
    expect(told.map((t) => t.path).sort()).toEqual(['/joined/1', '/joined/2']);
    expect(heard('/joined/2')[0]!.headers['nexus-link']).toContain('requestID=second');
  });

  it('no more than the limit', async () => {
    const small = new EngineNode(database.url, { dynamicConfig: ['callback.maxPerExecution=2', 'callback.allowedAddresses=[{"Pattern":"*","AllowInsecure":true}]'] });
    const start = (workflowId: string, more: object) => small.start(workflowId, more);
    await expect(start('many', { completionCallbacks: [to('/'), to('/'), to('/')] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'cannot attach more than 2 callbacks to an execution' });
    await start('many', { completionCallbacks: [to('/')] });
    const attach = { workflowIdConflictPolicy: 2, onConflictOptions: { attachRequestId: true, attachCompletionCallbacks: true } };
    await expect(start('many', { ...attach, requestId: 'x', completionCallbacks: [to('/'), to('/')] })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'cannot attach more than 2 callbacks to a workflow (1 callbacks already attached)',
    });
    await small.close();
  });
});

describe('what is not allowed', () => {
  it('is refused when it comes, and not called when it is no longer allowed', async () => {
    const strict = new EngineNode(database.url, { clock: node.clock, dynamicConfig: [] });
    await expect(strict.start('strict', { completionCallbacks: [to('/strict')] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('does not match any configured callback address') });
    await node.start('strict', { completionCallbacks: [to('/strict')] });
    await strict.step('strict', [command.complete()]);
    await reaches('strict', S.CALLBACK_STATE_BACKING_OFF);
    expect(told).toEqual([]);
    await node.deliverAfter(1_000);
    await reaches('strict', S.CALLBACK_STATE_SUCCEEDED);
    await strict.close();
  });
});

describe('a destination that does not answer', () => {
  it('keeps no other from being called, and is not called more than so often at a time', async () => {
    const busy = new EngineNode(database.url, { clock: node.clock });
    answers.set('/hang', Array.from({ length: 30 }, () => ({ status: 0, never: true as const })));
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        await busy.start(`hang-${i}`, { completionCallbacks: [to('/hang')] });
        await busy.step(`hang-${i}`, [command.complete()]);
      }),
    );
    await busy.start('other', { completionCallbacks: [{ nexus: { url: `${url.replace('127.0.0.1', 'localhost')}/other` } }] });
    await busy.step('other', [command.complete()]);
    await reaches('other', S.CALLBACK_STATE_SUCCEEDED);
    expect(heard('/hang').length).toBe(20);
    expect(busy.engine.callbacks).toMatchObject({ count: 20, made: 21, failed: 0 });
    await busy.close();
    answers.delete('/hang');
    await until('the rest', async () => {
      await node.deliverAfter(10_000);
      return (await Promise.all(Array.from({ length: 30 }, (_, i) => stateOf(`hang-${i}`)))).every((state) => state === S.CALLBACK_STATE_SUCCEEDED);
    });
  });
});

describe('when a node dies', () => {
  it('before it called: another one calls', async () => {
    const dead = new EngineNode(database.url, { clock: node.clock, holdMessages: true });
    await dead.start('orphan', { completionCallbacks: [to('/orphan')] });
    await dead.step('orphan', [command.complete('left')]);
    await dead.close();
    expect(await stateOf('orphan')).toBe(S.CALLBACK_STATE_SCHEDULED);
    await node.deliverAfter(3_000);
    await reaches('orphan', S.CALLBACK_STATE_SUCCEEDED);
    expect(told).toMatchObject([{ body: '"left"' }]);
  });

  it('while it called: the call ends with it, and another one calls at once', async () => {
    answers.set('/hangs', [{ status: 0, never: true }]);
    const stopping = new EngineNode(database.url, { clock: node.clock });
    await stopping.start('hangs', { completionCallbacks: [to('/hangs')] });
    await stopping.step('hangs', [command.complete()]);
    await until('the call', async () => heard('/hangs').length === 1);
    await stopping.close();
    await node.deliverAfter(0);
    await reaches('hangs', S.CALLBACK_STATE_SUCCEEDED);
    expect(await callbacksOf('hangs')).toMatchObject([{ attempt: 1 }]);
  });

  it('a deleted run has nobody left to tell', async () => {
    answers.set('/deleted', [{ status: 500 }]);
    await node.start('deleted', { completionCallbacks: [to('/deleted')] });
    await node.step('deleted', [command.complete()]);
    await reaches('deleted', S.CALLBACK_STATE_BACKING_OFF);
    await node.rpc('DeleteWorkflowExecution', { workflowExecution: { workflowId: 'deleted' } });
    await node.deliverAfter(5_000);
    await until('the message is gone', async () => !(await node.engine.outbox.claim(100, Number.MAX_SAFE_INTEGER, 0)).some(({ message }) => message.to.workflowId === 'deleted'));
    expect(heard('/deleted')).toHaveLength(1);
  });
});
