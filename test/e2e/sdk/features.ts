/** What our worker and client offer beyond the common suite, on any server of the open API. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { activityInfo, CompleteAsyncError, getClient, heartbeat, sleep } from '../../../worker-sdk/activity/index.js';
import { ActivityCancelledError, ActivityNotFoundError, Client, Connection } from '../../../worker-sdk/client/index.js';
import type { Payload } from '../../../worker-sdk/index.js';
import { Worker, type WorkerOptions } from '../../../worker-sdk/worker/index.js';
import { until } from '../../helpers/until.js';
import { bundleInline, ids, withInlineWorker } from './inline-worker.js';
import { installOurRuntime } from './kits.js';
import { anyServer, type ServerUnderTest, type StartServer } from './servers.js';

export function featureSuite(name: string, startServer: StartServer = anyServer): void {
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

    test('an eager start brings the first task in its answer', async () => {
      await withWorker("export async function hello() { return 'hello'; }", {}, async (taskQueue) => {
        const handle = await client.workflow.start('hello', { ...ids(taskQueue), requestEagerStart: true });
        expect(await handle.result()).toBe('hello');
        // Not asked for where the server does not say that it can.
        expect(handle.eagerlyStarted).toBe(server.tellsCapabilities);
      });
    });

    test('activities that the worker has come back with the task that scheduled them', async () => {
      const workflows = `
    const { echo } = w.proxyActivities({ startToCloseTimeout: '5s' });
    export async function chain() { let all = ''; for (const c of 'abcde') all += await echo(c); return all; }
  `;
      await withWorker(workflows, { activities: { echo: async (value: string) => value } }, async (taskQueue) => {
        expect(await client.workflow.execute('chain', ids(taskQueue))).toBe('abcde');
      });
    });

    test('an activity is completed, failed and heartbeated from outside, by token and by name', async () => {
      const workflows = `
    const { ask } = w.proxyActivities({ startToCloseTimeout: '20s', heartbeatTimeout: '10s', cancellationType: 'WAIT_CANCELLATION_COMPLETED', retry: { maximumAttempts: 1 } });
    export async function asking(how) {
      try { return await ask(how); } catch (err) { return err.name + '|' + err.cause.message; }
    }
    export async function cancelling() {
      const scope = new w.CancellationScope();
      const asked = scope.run(() => ask('cancel')).catch((err) => err.name);
      await w.condition(() => false, 50);
      scope.cancel();
      return asked;
    }
  `;
      const tokens = new Map<string, Uint8Array>();
      const ask = async (how: string): Promise<never> => {
        tokens.set(how, activityInfo().taskToken);
        throw new CompleteAsyncError();
      };
      await withWorker(workflows, { activities: { ask } }, async (taskQueue) => {
        const start = async (how: string) => {
          const handle = await client.workflow.start('asking', { ...ids(taskQueue), args: [how] });
          await until('the question', () => tokens.has(how));
          return handle;
        };
        const byToken = await start('token');
        await client.activity.heartbeat(tokens.get('token')!, 'alive');
        await client.activity.complete(tokens.get('token')!, { answer: 1 });
        expect(await byToken.result()).toEqual({ answer: 1 });

        const byName = await start('name');
        await client.activity.complete({ workflowId: byName.workflowId, activityId: '1' }, 'named');
        expect(await byName.result()).toBe('named');
        await expect(client.activity.complete(tokens.get('name')!, 'late')).rejects.toBeInstanceOf(ActivityNotFoundError);

        const failing = await start('fail');
        await client.activity.fail(tokens.get('fail')!, new Error('no answer'));
        expect(await failing.result()).toBe('ActivityFailure|no answer');

        const cancelled = await client.workflow.start('cancelling', ids(taskQueue));
        await until('the question', () => tokens.has('cancel'));
        const beat = () => client.activity.heartbeat(tokens.get('cancel')!);
        await until('the request to cancel', () =>
          beat().then(
            () => false,
            (err) => err instanceof ActivityCancelledError,
          ),
        );
        await client.activity.reportCancellation(tokens.get('cancel')!);
        expect(await cancelled.result()).toBe('ActivityFailure');
      });
    });

    test('activities have a client of the worker’s own', async () => {
      const workflows = `
    const { tell } = w.proxyActivities({ startToCloseTimeout: '5s' });
    export async function told() {
      let heard = '';
      w.setHandler(w.defineSignal('say'), (word) => { heard = word; });
      await tell(w.workflowInfo().workflowId);
      await w.condition(() => heard !== '');
      return heard;
    }
  `;
      const tell = async (workflowId: string) => {
        await getClient().workflow.getHandle(workflowId).signal('say', 'it');
      };
      await withWorker(workflows, { activities: { tell } }, async (taskQueue) => {
        expect(await client.workflow.execute('told', ids(taskQueue))).toBe('it');
      });
    });

    test('a codec sees everything that leaves, in workflows and activities, and nothing readable is stored', async () => {
      const flip = async (payloads: Payload[]): Promise<Payload[]> =>
        payloads.map((payload) => ({
          metadata: { encoding: Buffer.from('binary/flipped') },
          data: Buffer.from(
            JSON.stringify({
              m: payload.metadata?.encoding && Buffer.from(payload.metadata.encoding).toString(),
              d: Buffer.from(payload.data ?? []).toString('base64'),
            }),
          ).map((byte) => byte ^ 0x5a),
        }));
      const unflip = async (payloads: Payload[]): Promise<Payload[]> =>
        payloads.map((payload) => {
          const { m, d } = JSON.parse(Buffer.from(payload.data!.map((byte) => byte ^ 0x5a)).toString());
          return { metadata: { encoding: Buffer.from(m) }, data: Buffer.from(d, 'base64') };
        });
      const dataConverter = { payloadCodecs: [{ encode: flip, decode: unflip }] };
      const workflows = `
    const { hide } = w.proxyActivities({ startToCloseTimeout: '5s', retry: { maximumAttempts: 2, initialInterval: 10 } });
    export async function secret(word) {
      w.setHandler(w.defineQuery('word'), () => word);
      w.setHandler(w.defineUpdate('change'), (next) => { word = next; return 'SECRET changed'; });
      await w.condition(() => word !== 'SECRET first');
      const hidden = await hide(word);
      throw w.ApplicationFailure.nonRetryable('failed', 'Secretive', hidden);
    }
  `;
      const hide = async (word: string) => {
        heartbeat(`SECRET beat ${word}`);
        if (activityInfo().attempt === 1) throw new Error('once');
        return [word, activityInfo().heartbeatDetails];
      };
      await withWorker(workflows, { activities: { hide }, dataConverter }, async (taskQueue) => {
        const secretClient = new Client({ connection, dataConverter });
        const handle = await secretClient.workflow.start('secret', {
          ...ids(taskQueue),
          args: ['SECRET first'],
          memo: { m: 'SECRET memo' },
        });
        expect(await handle.query('word')).toBe('SECRET first');
        expect(await handle.executeUpdate<string, [string]>('change', { args: ['SECRET second'] })).toBe('SECRET changed');
        const error = await handle.result().catch((err) => err);
        expect(error.cause.details).toEqual([['SECRET second', 'SECRET beat SECRET second']]);
        expect((await handle.describe()).memo).toEqual({ m: 'SECRET memo' });
        const { events } = await handle.fetchHistory();
        const stored = JSON.stringify(events, (_key, value) =>
          value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
        );
        expect(stored).not.toContain('SECRET');
      });
    });

    test('sinks and the workflow’s log come out of the sandbox, once', async () => {
      const said: unknown[] = [];
      const workflows = `
    const { book } = w.proxySinks();
    export async function chatty() { book.note('first'); await w.sleep(1); book.note('second'); return w.workflowInfo().workflowId; }
  `;
      const sinks = { book: { note: { fn: (info: { workflowId: string }, word: string) => said.push([info.workflowId, word]) } } };
      await withWorker(workflows, { sinks: sinks as unknown as WorkerOptions['sinks'] }, async (taskQueue) => {
        const id = await client.workflow.execute('chatty', ids(taskQueue));
        expect(said).toEqual([
          [id, 'first'],
          [id, 'second'],
        ]);
      });
    });

    test('runs that are not cached are replayed for each task', async () => {
      const workflows = `
    const { echo } = w.proxyActivities({ startToCloseTimeout: '5s' });
    export async function steps() { const all = []; for (let i = 0; i < 4; i++) { all.push(await echo(i)); await w.sleep(1); } return all; }
  `;
      await withWorker(workflows, { activities: { echo: async (value: number) => value }, maxCachedWorkflows: 0 }, async (taskQueue) => {
        const results = await Promise.all([1, 2, 3].map(() => client.workflow.execute('steps', ids(taskQueue))));
        expect(results).toEqual([
          [0, 1, 2, 3],
          [0, 1, 2, 3],
          [0, 1, 2, 3],
        ]);
      });
    });

    test('a worker that stops hands over: the next one has the work at once', async () => {
      const workflows =
        "export async function waits() { let go = false; w.setHandler(w.defineSignal('go'), () => { go = true; }); await w.condition(() => go); return 'went'; }";
      const workflowBundle = await bundleInline(workflows);
      const taskQueue = `stops-${randomUUID()}`;
      const create = () => Worker.create({ connection, taskQueue, workflowBundle, activities: { nap: () => sleep(1) } });
      const first = await create();
      const handle = await first.runUntil(async () => {
        const started = await client.workflow.start('waits', ids(taskQueue));
        await until('the cached run', () => first.getStatus().numCachedWorkflows === 1);
        await until('the first task', async () =>
          (await started.fetchHistory()).events!.some((event) => event.workflowTaskCompletedEventAttributes),
        );
        return started;
      });
      const second = await create();
      const begin = performance.now();
      const result = await second.runUntil(async () => {
        await handle.signal('go');
        return handle.result();
      });
      expect(result).toBe('went');
      // The sticky queue of the first worker would have held the task for ten seconds.
      expect(performance.now() - begin).toBeLessThan(5000);
    });
  });
}
