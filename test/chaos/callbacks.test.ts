/** The engine dies before or after it has called a completion callback, and another one sees to it that the world outside is told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { enums, type temporal } from '../../server/core/api.js';
import { killAfterEach } from '../helpers/perdure-process.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { Calls } from './calls.js';
import { checkDatabase } from './checker.js';
import { NodeProcess } from './cluster.js';

killAfterEach();

let database: TestDatabase | undefined;
afterEach(() => database?.drop());

let told = 0;
const outside = createServer((request, response) => {
  told++;
  request.resume().on('end', () => response.end());
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/told`;
});
afterAll(() => new Promise((resolve) => outside.close(resolve)));

it.each([
  ['calling-back', 0],
  ['called-back', 1],
])(
  'at %s',
  async (point, before) => {
    told = 0;
    database = await createDatabase();
    const node = new NodeProcess('node', database.url, { PERDURE_DYNAMIC_CONFIG: 'callback.allowedAddresses=[{"Pattern":"127.0.0.1:*","AllowInsecure":true}]' });
    const calls = new Calls(() => (node.address ? [node.address] : []));
    await node.start(point);
    const workflowExecution = { workflowId: 'w' };
    const start = { ...workflowExecution, workflowType: { name: 'T' }, taskQueue: { name: 'q' }, requestId: 'r', completionCallbacks: [{ nexus: { url } }] };
    expect(await calls.surely('StartWorkflowExecution', start)).toMatchObject({ code: 'OK' });
    await calls.once('TerminateWorkflowExecution', { workflowExecution });
    await node.died();
    expect(told).toBe(before);
    await node.start();
    await until('the callback to be told', async () => {
      const { response } = await calls.surely<temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse>('DescribeWorkflowExecution', { execution: workflowExecution });
      return response?.callbacks?.[0]?.state === enums.CallbackState.CALLBACK_STATE_SUCCEEDED;
    });
    expect(told).toBe(before + 1);
    calls.close();
    await node.stop();
    expect((await checkDatabase(database.url)).problems).toEqual([]);
  },
  60_000,
);
