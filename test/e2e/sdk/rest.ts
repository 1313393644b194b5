/** The rest of the SDK, on any server of the open API: what is searched, how runs go on, scopes, versions, descriptions, replay. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { activityInfo } from '../../../worker-sdk/activity/index.js';
import { Client, Connection, WorkflowFailedError } from '../../../worker-sdk/client/index.js';
import { defineSearchAttributeKey, TypedSearchAttributes } from '../../../worker-sdk/index.js';
import { Worker, type WorkerOptions } from '../../../worker-sdk/worker/index.js';
import { until } from '../../helpers/until.js';
import { bundleInline, ids, withInlineWorker } from './inline-worker.js';
import { installOurRuntime } from './kits.js';
import { anyServer, type ServerUnderTest, type StartServer } from './servers.js';

export function restSuite(name: string, startServer: StartServer = anyServer): void {
  describe(name, () => {
    let server: ServerUnderTest;
    let connection: Connection;
    let client: Client;

    beforeAll(async () => {
      installOurRuntime();
      server = await startServer();
      connection = await Connection.connect({ address: server.address });
      client = new Client({ connection });
    });
    afterAll(async () => {
      await connection?.close();
      await server?.stop();
    });

    const withWorker = <R>(workflows: string, options: Partial<WorkerOptions>, use: (taskQueue: string) => Promise<R>): Promise<R> =>
      withInlineWorker(connection, workflows, options, use);

    test('memo and search attributes: given at the start, changed by the workflow, found by a list and a count', async () => {
      const workflows = `
        export async function searched() {
          w.upsertSearchAttributes([{ key: w.defineSearchAttributeKey('BuildIds', 'KEYWORD_LIST'), value: ['blue', 'green'] }]);
          w.upsertMemo({ step: 'second', gone: null });
          await w.sleep(1);
          return [w.workflowInfo().memo, w.workflowInfo().typedSearchAttributes.get(w.defineSearchAttributeKey('BuildIds', 'KEYWORD_LIST'))];
        }
      `;
      const buildIds = defineSearchAttributeKey('BuildIds', 'KEYWORD_LIST');
      await withWorker(workflows, {}, async (taskQueue) => {
        const typedSearchAttributes = new TypedSearchAttributes([{ key: buildIds, value: ['red'] }]);
        const memo = { step: 'first', gone: 1, kept: true };
        const handle = await client.workflow.start('searched', { ...ids(taskQueue), memo, typedSearchAttributes });
        const [seen, attribute] = (await handle.result()) as unknown[];
        expect([seen, attribute]).toEqual([{ step: 'second', kept: true }, ['blue', 'green']]);
        const description = await handle.describe();
        expect(description.memo).toEqual({ step: 'second', kept: true });
        expect(description.typedSearchAttributes.get(buildIds)).toEqual(expect.arrayContaining(['blue', 'green']));
        const query = `WorkflowId = '${handle.workflowId}' AND ExecutionStatus = 'Completed'`;
        const found = await until('the list', async () => {
          const all = [];
          for await (const info of client.workflow.list({ query })) all.push(info);
          return all.length > 0 ? all : undefined;
        });
        expect(found.map(({ workflowId, type }) => [workflowId, type])).toEqual([[handle.workflowId, 'searched']]);
        expect((await client.workflow.count(query)).count).toBe(1);
      });
    });

    test('a run that fails is tried again by its policy, a cron starts anew with the last result, a start is put off', async () => {
      const workflows = `
        export async function flaky() {
          if (w.workflowInfo().attempt < 3) throw w.ApplicationFailure.retryable('attempt ' + w.workflowInfo().attempt);
          return [w.workflowInfo().attempt, w.workflowInfo().lastFailure?.message];
        }
        export async function ticking() { return (w.workflowInfo().lastResult ?? 0) + 1; }
        export async function late() { return Date.now() - w.workflowInfo().startTime.getTime() >= 0; }
      `;
      await withWorker(workflows, {}, async (taskQueue) => {
        const retry = { initialInterval: 10, maximumAttempts: 5 };
        expect(await client.workflow.execute('flaky', { ...ids(taskQueue), retry })).toEqual([3, 'attempt 2']);
        expect(await client.workflow.execute('late', { ...ids(taskQueue), startDelay: 50 })).toBe(true);
        const cron = await client.workflow.start('ticking', { ...ids(taskQueue), cronSchedule: '@every 1s' });
        const runs = await until('three runs', async () => {
          const first = await client.workflow.getHandle(cron.workflowId, cron.firstExecutionRunId).fetchHistory();
          const close = first.events?.at(-1)?.workflowExecutionCompletedEventAttributes;
          return close?.newExecutionRunId;
        });
        expect(runs).not.toBe(cron.firstExecutionRunId);
        await cron.terminate('enough');
      });
    });

    test('scopes: a deadline, a part that is shielded, a child that is cancelled, a child that outlives its parent', async () => {
      const workflows = `
        export async function scoped() {
          const told = [];
          await w.CancellationScope.withTimeout(20, () => w.sleep('1 hour')).catch((e) => told.push(w.isCancellation(e)));
          const scope = new w.CancellationScope();
          const shielded = scope.run(() => w.CancellationScope.nonCancellable(() => w.sleep(30).then(() => told.push('shielded'))));
          const child = scope.run(() => w.executeChild('endless', { workflowId: w.workflowInfo().workflowId + '-c' })).catch((e) => told.push(e.name));
          await w.sleep(10);
          scope.cancel();
          await Promise.all([shielded, child]);
          await w.startChild('brief', { workflowId: w.workflowInfo().workflowId + '-a', parentClosePolicy: 'ABANDON' });
          return told;
        }
        export async function endless() { await w.sleep('1 hour'); }
        export async function brief() { await w.sleep(200); return 'outlived'; }
        export async function canceller(other) { await w.getExternalWorkflowHandle(other).cancel(); }
      `;
      await withWorker(workflows, {}, async (taskQueue) => {
        const handle = await client.workflow.start('scoped', ids(taskQueue));
        const told = (await handle.result()) as unknown[];
        // The child's end takes a way over the server; whether it is longer than the pause is chance.
        expect(new Set(told)).toEqual(new Set([true, 'ChildWorkflowFailure', 'shielded']));
        expect(await client.workflow.getHandle(`${handle.workflowId}-a`).result()).toBe('outlived');
        const other = await client.workflow.start('endless', ids(taskQueue));
        await client.workflow.execute('canceller', { ...ids(taskQueue), args: [other.workflowId] });
        await expect(other.result()).rejects.toThrow(WorkflowFailedError);
      });
    });

    test('patches, summaries and details, queries about the workflow itself, dynamic handlers', async () => {
      const workflows = `
        const { note } = w.proxyActivities({ startToCloseTimeout: '5s', summary: 'writes a note' });
        export async function described() {
          w.setCurrentDetails('half way');
          w.setDefaultQueryHandler((name, ...args) => [name, ...args]);
          const seen = [];
          w.setDefaultSignalHandler((name, ...args) => { seen.push(name, ...args); });
          w.deprecatePatch('old');
          const patched = w.patched('new');
          await note('x');
          await w.condition(() => seen.length > 0);
          return [patched, ...seen];
        }
        export default async function anyType() { return w.workflowInfo().workflowType; }
      `;
      await withWorker(workflows, { activities: { note: async (text: string) => text } }, async (taskQueue) => {
        const options = { ...ids(taskQueue), staticSummary: 'a summary', staticDetails: 'some details' };
        const handle = await client.workflow.start('described', options);
        expect(await handle.query('anything', 1)).toEqual(['anything', 1]);
        expect(await handle.query('__temporal_workflow_metadata')).toMatchObject({ currentDetails: 'half way' });
        expect(await handle.query('__stack_trace')).toMatch(/at .*described|condition/);
        const description = await handle.describe();
        expect([await description.staticSummary(), await description.staticDetails()]).toEqual(['a summary', 'some details']);
        await handle.signal('news', 'good');
        expect(await handle.result()).toEqual([true, 'news', 'good']);
        expect(await client.workflow.execute('whatever', ids(taskQueue))).toBe('whatever');
      });
    });

    test('local activities with backoff and timeouts, priorities, timeouts of runs', async () => {
      const workflows = `
        const local = w.proxyLocalActivities({ startToCloseTimeout: 50, retry: { maximumAttempts: 2, initialInterval: 10 } });
        const { prior } = w.proxyActivities({ startToCloseTimeout: '5s', priority: { priorityKey: 2 } });
        export async function locals() {
          const slow = await local.stuck().catch((e) => e.cause.name);
          return [slow, await prior(), w.workflowInfo().priority];
        }
        export async function endless() { await w.sleep('1 hour'); }
      `;
      const activities = { stuck: () => new Promise(() => undefined), prior: async () => activityInfo().priority?.priorityKey };
      await withWorker(workflows, { activities }, async (taskQueue) => {
        const result = (await client.workflow.execute('locals', { ...ids(taskQueue), priority: { priorityKey: 1 } })) as unknown[];
        expect(result).toMatchObject(['TimeoutFailure', 2, { priorityKey: 1 }]);
        const timed = await client.workflow.start('endless', { ...ids(taskQueue), workflowRunTimeout: '1s' });
        await expect(timed.result()).rejects.toMatchObject({ cause: { name: 'TimeoutFailure' } });
      });
    });

    test('what was executed here replays, and changed code is told apart', async () => {
      const workflows = (second: string) => `
        const { step } = w.proxyActivities({ startToCloseTimeout: '5s' });
        export async function replayed() { await step('first'); await w.sleep(1); return ${second}; }
      `;
      const original = workflows("step('second')");
      await withWorker(original, { activities: { step: async (text: string) => text } }, async (taskQueue) => {
        const handle = await client.workflow.start('replayed', ids(taskQueue));
        await handle.result();
        const history = await handle.fetchHistory();
        await Worker.runReplayHistory({ workflowBundle: await bundleInline(original) }, history, handle.workflowId);
        const changed = await bundleInline(workflows("w.sleep(5).then(() => 'no step')"));
        await expect(Worker.runReplayHistory({ workflowBundle: changed }, history, handle.workflowId)).rejects.toThrow(/step|timer/i);
      });
    });

    test('schedules, where the server has them', async (context: TestContext) => {
      const { capabilities } = await connection.workflowService.getSystemInfo({});
      if (!capabilities?.supportsSchedules) return context.skip('the server does not say that it has schedules');
      await withWorker("export async function scheduled() { return 'ran'; }", {}, async (taskQueue) => {
        const scheduleId = `s-${randomUUID()}`;
        const handle = await client.schedule.create({
          scheduleId,
          spec: { intervals: [{ every: '1h' }] },
          action: { type: 'startWorkflow', workflowType: 'scheduled', taskQueue, workflowId: scheduleId },
        });
        await handle.trigger();
        const ran = await until('an action', async () => (await handle.describe()).info.recentActions[0]);
        expect(ran.action.workflow.workflowId).toContain(scheduleId);
        await handle.pause('enough');
        expect((await handle.describe()).state).toMatchObject({ paused: true, note: 'enough' });
        await handle.delete();
      });
    });
  });
}
