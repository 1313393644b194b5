/** The testing kit: an engine of the test's own. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TestWorkflowEnvironment } from '../../worker-sdk/testing/index.js';
import { Worker } from '../../worker-sdk/worker/index.js';
import { installOurRuntime } from './sdk/kits.js';

test('a local environment runs workflows and leaves nothing behind', async () => {
  installOurRuntime();
  const env = await TestWorkflowEnvironment.createLocal({ server: { namespace: 'testing', log: { level: 'error' } } });
  const workflowsPath = fileURLToPath(new URL('./sdk/impatient.ts', import.meta.url));
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace,
    taskQueue: 'test',
    workflowsPath,
    activities: { echo: async (value: string) => value },
  });
  const options = { taskQueue: 'test', workflowId: 'steps', args: [2] };
  expect(await worker.runUntil(env.client.workflow.execute('manySteps', options))).toEqual(['0', '1']);
  const existing = await TestWorkflowEnvironment.createFromExistingServer({ address: env.address, namespace: 'testing' });
  expect((await existing.client.workflow.getHandle('steps').describe()).status.name).toBe('COMPLETED');
  await existing.teardown();
  await env.teardown();
  await expect(TestWorkflowEnvironment.createFromExistingServer({ address: env.address, connectTimeout: 200 })).rejects.toThrow('Failed to connect');
}, 90_000);

test('an engine that is not there is asked for', async () => {
  const missing = TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'existing-path', path: '/no/such/engine' } } });
  await expect(Promise.race([missing, new Promise((_resolve, reject) => setTimeout(reject, 10_000, new Error('still waiting')))])).rejects.toThrow(/\/no\/such\/engine/);
}, 20_000);

test('an environment that skips time may start on any day', async () => {
  installOurRuntime();
  const startTime = '2027-01-01T08:00:00Z';
  const env = await TestWorkflowEnvironment.createTimeSkipping({ server: { startTime, extraArgs: ['--log-level', 'error'] } });
  const passedMs = async () => (await env.currentTimeMs()) - Date.parse(startTime);
  expect(await passedMs()).toBeLessThan(60_000);
  await env.sleep('12 hours');
  expect(await passedMs()).toBeGreaterThanOrEqual(12 * 3_600_000);
  await env.teardown();
}, 60_000);
