/** What any worker and any client must do together on the real engine. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../../worker-sdk/client/index.js';
import type { ClientKit, RunningWorker, WorkerKit } from './kits.js';
import { anyServer, type ServerUnderTest, type StartServer } from './servers.js';
import type * as workflows from './workflows.js';

type Name = Exclude<keyof typeof workflows, 'add' | 'finish' | 'total' | 'addAndTell'>;
type Args<N extends Name> = Parameters<(typeof workflows)[N]>;

export function sdkSuite(name: string, workerKit: WorkerKit, clientKit: ClientKit, startServer: StartServer = anyServer): void {
  describe(name, () => {
    const taskQueue = `e2e-${randomUUID()}`;
    let server: ServerUnderTest | undefined;
    let client: Client;
    let closeClient: () => Promise<void>;
    let worker: RunningWorker;

    beforeAll(async () => {
      server = await startServer();
      const { address } = server;
      ({ client, close: closeClient } = await clientKit.connect(address));
      worker = await workerKit.start(address, taskQueue);
    }, 60_000);
    afterAll(async () => {
      await worker?.stop();
      await closeClient?.();
      await server?.stop();
    });

    const options = <N extends Name>(args: Args<N>) => ({ taskQueue, workflowId: `w-${randomUUID()}`, args });
    const execute = <N extends Name>(type: N, ...args: Args<N>): Promise<Awaited<ReturnType<(typeof workflows)[N]>>> =>
      client.workflow.execute<(...a: unknown[]) => Promise<Awaited<ReturnType<(typeof workflows)[N]>>>>(type, options<N>(args));
    const start = <N extends Name>(type: N, ...args: Args<N>) =>
      client.workflow.start(type as string, options<N>(args) as { taskQueue: string; workflowId: string; args: unknown[] });

    test('an activity', async () => {
      expect(await execute('oneActivity', 'it')).toBe('got it');
    });

    test('an activity that fails and is tried again, in the server and in the worker', async () => {
      expect(await execute('retried', 2)).toBe(3);
      expect(await execute('localActivities', 2)).toEqual([3, 'local']);
    });

    test('activities that fail for good, or take too long', async () => {
      expect(await execute('failedActivity')).toBe('ActivityFailure|failFinally|NON_RETRYABLE_FAILURE|ApplicationFailure|Final|on purpose');
      expect(await execute('timedOutActivity')).toBe('TimeoutFailure|START_TO_CLOSE');
    });

    test('an activity that learns of its cancellation by a heartbeat, and the clean-up after it', async () => {
      const handle = await start('cancelledActivity');
      await handle.describe();
      await handle.cancel();
      expect(await handle.result()).toBe('cleaned up');
    });

    test('details of heartbeats reach the next attempt', async () => {
      expect(await execute('heartbeatDetails')).toEqual([1, 2, 3]);
    });

    test('signals, and queries that see them', async () => {
      const handle = await start('counter', 1);
      expect(await handle.query('total')).toBe(1);
      for (let i = 0; i < 5; i++) await handle.signal('add', i);
      expect(await handle.query('total')).toBe(11);
      await expect(handle.query('unknown')).rejects.toThrow(/unknown/i);
      await handle.signal('finish');
      expect(await handle.result()).toBe(11);
      expect(await handle.query('total')).toBe(11);
    });

    test('a run that is paused, at once and later, and goes on', async ({ skip }) => {
      const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace: 'default' });
      skip(!namespaceInfo?.capabilities?.workflowPause, 'the server pauses no runs');
      const handle = await start('counter', 1);
      const { workflowId } = handle;
      const by = { namespace: 'default', workflowId, identity: 'e2e', reason: 'a look' };
      const pause = () => client.workflowService.pauseWorkflowExecution({ ...by, requestId: randomUUID() });
      const unpause = () => client.workflowService.unpauseWorkflowExecution({ ...by, requestId: randomUUID() });
      await pause();
      await handle.signal('add', 1);
      await unpause();
      expect(await handle.query('total')).toBe(2);
      await pause();
      await handle.signal('add', 10);
      expect((await handle.describe()).status.name).toBe('PAUSED');
      await expect(handle.query('total')).rejects.toThrow();
      await unpause();
      expect(await handle.query('total')).toBe(12);
      await handle.signal('finish');
      expect(await handle.result()).toBe(12);
    });

    test('signal with start', async () => {
      const workflowId = `w-${randomUUID()}`;
      const begin = { taskQueue, workflowId, args: [10], signal: 'add', signalArgs: [5] };
      const handle = await client.workflow.signalWithStart('counter', begin);
      await client.workflow.signalWithStart('counter', begin);
      await handle.signal('finish');
      expect(await handle.result()).toBe(20);
    });

    test('updates: accepted, rejected, waited for, and with start', async () => {
      const handle = await start('counter', 0);
      expect(await handle.executeUpdate<number, [number]>('addAndTell', { args: [3] })).toBe(3);
      await expect(handle.executeUpdate('addAndTell', { args: [-1] })).rejects.toMatchObject({
        cause: { message: 'must not be negative' },
      });
      const update = await handle.startUpdate<number, [number]>('addAndTell', { args: [4], waitForStage: 'ACCEPTED', updateId: 'u' });
      expect(await update.result()).toBe(7);
      expect(await handle.getUpdateHandle<number>('u').result()).toBe(7);
      await handle.signal('finish');
      expect(await handle.result()).toBe(7);
    });

    test('timers, in their order', async () => {
      expect(await execute('timers')).toEqual(['0', '20', '60', 'false']);
    });

    test('children: started, executed, failing', async () => {
      const ids = [1, 2, 3].map((n) => `child-${n}-${randomUUID()}`);
      const handle = await start('parent', ids);
      const by = `by ${handle.workflowId}`;
      expect(await handle.result()).toEqual([`started ${by}`, `executed ${by}`, `executed ${by}`]);
      expect(await execute('failingParent')).toBe('ChildWorkflowFailure|ChildFailed|child failed');
    });

    test('signals from one workflow to another', async () => {
      const handle = await start('counter', 0);
      await execute('signalOther', handle.workflowId);
      expect(await handle.result()).toBe(5);
    });

    test('continue-as-new, followed to the last run', async () => {
      const runs = await execute('countdown', 2);
      expect(new Set(runs).size).toBe(3);
    });

    test('cancellation, termination and failure reach the caller', async () => {
      const cancelled = await start('cancellable');
      await cancelled.cancel();
      await expect(cancelled.result()).rejects.toMatchObject({ name: 'WorkflowFailedError', cause: { name: 'CancelledFailure' } });
      const terminated = await start('cancellable');
      await terminated.terminate('enough');
      await expect(terminated.result()).rejects.toMatchObject({ cause: { name: 'TerminatedFailure', message: 'enough' } });
      await expect(execute('failing')).rejects.toMatchObject({
        cause: { name: 'ApplicationFailure', type: 'Broken', details: [1, 'two'] },
      });
    });

    test('what workflows must not ask the machine for is deterministic', async () => {
      const [id, random, slept, hasPatch] = await execute('deterministic');
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
      expect(random).toBeLessThan(1);
      expect([slept, hasPatch]).toEqual([true, true]);
    });

    test('descriptions, histories and duplicate starts', async () => {
      const handle = await start('counter', 0);
      const again = client.workflow.start('counter', { taskQueue, workflowId: handle.workflowId });
      await expect(again).rejects.toMatchObject({ name: 'WorkflowExecutionAlreadyStartedError' });
      expect(await handle.describe()).toMatchObject({ type: 'counter', status: { name: 'RUNNING' }, taskQueue });
      await handle.signal('finish');
      await handle.result();
      expect(await handle.describe()).toMatchObject({ status: { name: 'COMPLETED' } });
      const { events } = await handle.fetchHistory();
      expect(events!.map((event) => Number(event.eventId))).toEqual(events!.map((_event, i) => i + 1));
    });

    test('many at once', async () => {
      const results = await Promise.all(Array.from({ length: 60 }, (_, i) => execute('oneActivity', String(i))));
      expect(results).toEqual(Array.from({ length: 60 }, (_, i) => `got ${i}`));
    });
  });
}
