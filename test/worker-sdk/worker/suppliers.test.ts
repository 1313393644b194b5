/** Slots by a user's rules, and by the machine, under a whole worker: every permit that was given comes back. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Context } from '../../../worker-sdk/activity/index.js';
import { Client, Connection } from '../../../worker-sdk/client/index.js';
import { type CustomSlotSupplier, Runtime, type SlotInfo, Worker, type WorkerTuner } from '../../../worker-sdk/worker/index.js';
import { bundleInline } from '../../e2e/sdk/inline-worker.js';
import { type EngineServer, startEngineServer } from '../../transport/engine-server.js';

const quiet = () => undefined;
let engine: EngineServer;
let connection: Connection;
let client: Client;
let workflowBundle: { code: string };

beforeAll(async () => {
  Runtime.install({ logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet } });
  engine = await startEngineServer();
  connection = await Connection.connect({ address: engine.address });
  client = new Client({ connection });
  workflowBundle = await bundleInline(`
    const { echo } = w.proxyActivities({ startToCloseTimeout: '5s' });
    const local = w.proxyLocalActivities({ startToCloseTimeout: '5s' });
    export async function busy() { await Promise.all([1, 2, 3, 4].map(() => echo('x'))); await local.echo('y'); await w.sleep(1); return 'done'; }
    const impatient = w.proxyLocalActivities({ startToCloseTimeout: '5s', scheduleToStartTimeout: 30 });
    export async function crowded() {
      const scope = new w.CancellationScope();
      const first = scope.run(() => local.hold()).catch(() => undefined);
      const late = await impatient.echo('late').catch((error) => error.cause.timeoutType);
      scope.cancel();
      await first;
      return [late, await impatient.echo('in time')];
    }
  `);
});
afterAll(async () => {
  await connection?.close();
  await engine?.stop();
});

/** Three slots at most, each a permit with a number. */
class Counting<SI extends SlotInfo> implements CustomSlotSupplier<SI> {
  readonly type = 'custom';
  readonly held = new Set<number>();
  readonly used: string[] = [];
  most = 0;
  private next = 0;
  private readonly waiting: (() => void)[] = [];

  async reserveSlot(_context: unknown, signal: AbortSignal): Promise<{ number: number }> {
    for (;;) {
      const permit = this.tryReserveSlot();
      if (permit) return permit;
      await new Promise<void>((resolve, reject) => {
        this.waiting.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
  }

  tryReserveSlot(): { number: number } | null {
    if (this.held.size >= 3) return null;
    const permit = { number: this.next++ };
    this.held.add(permit.number);
    this.most = Math.max(this.most, this.held.size);
    return permit;
  }

  markSlotUsed({ slotInfo }: { slotInfo: SI }): void {
    this.used.push(slotInfo.type === 'workflow' ? slotInfo.workflowType : slotInfo.activityType);
  }

  releaseSlot({ permit }: { permit: object }): void {
    expect(this.held.delete((permit as { number: number }).number)).toBe(true);
    this.waiting.shift()?.();
  }
}

async function runBusy(tuner: WorkerTuner): Promise<void> {
  const taskQueue = `slots-${randomUUID()}`;
  const worker = await Worker.create({ connection, taskQueue, workflowBundle, activities: { echo: async (text: string) => text }, tuner });
  const runs = Array.from({ length: 8 }, () => ({ taskQueue, workflowId: randomUUID() }));
  expect(await worker.runUntil(() => Promise.all(runs.map((options) => client.workflow.execute('busy', options))))).toEqual(
    runs.map(() => 'done'),
  );
}

test('by a user’s rules', async () => {
  const tuner = {
    workflowTaskSlotSupplier: new Counting(),
    activityTaskSlotSupplier: new Counting(),
    localActivityTaskSlotSupplier: new Counting(),
  };
  await runBusy(tuner as unknown as WorkerTuner);
  const { workflowTaskSlotSupplier: workflows, activityTaskSlotSupplier: activities, localActivityTaskSlotSupplier: local } = tuner;
  for (const supplier of [workflows, activities, local]) expect([supplier.held.size, supplier.most <= 3]).toEqual([0, true]);
  expect(new Set(workflows.used)).toEqual(new Set(['busy']));
  expect([activities.used.length, local.used.length]).toEqual([32, 8]);
});

test('by the machine, with bounds for some, a fixed number for others', async () => {
  await runBusy({
    tunerOptions: { targetMemoryUsage: 1, targetCpuUsage: 1 },
    activityTaskSlotOptions: { minimumSlots: 2, maximumSlots: 4, rampThrottle: 1 },
  });
  const { ResourceBasedController } = await import('../../../worker-sdk/worker/index.js');
  const controller = ResourceBasedController.create({ targetMemoryUsage: 1, targetCpuUsage: 1 });
  await runBusy({
    workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: 2 },
    activityTaskSlotSupplier: { type: 'resource-based', controller, maximumSlots: 3 },
    localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
  });
});

test('a local activity waits for a slot as long as its schedule-to-start timeout says', async () => {
  const taskQueue = `slots-${randomUUID()}`;
  const activities = { echo: async (text: string) => text, hold: () => Context.current().cancelled };
  const worker = await Worker.create({ connection, taskQueue, workflowBundle, activities, maxConcurrentLocalActivityExecutions: 1 });
  const result = await worker.runUntil(client.workflow.execute('crowded', { taskQueue, workflowId: randomUUID() }));
  expect(result).toEqual(['SCHEDULE_TO_START', 'in time']);
});
