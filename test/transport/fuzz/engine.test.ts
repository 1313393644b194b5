/**
 * The whole server under requests that nobody should send: evil values in every field of every method, mutated bytes, forged and reused
 * task tokens. It never fails unexpectedly, and a run that has nothing to do with it goes on.
 * PERDURE_FUZZ_SEED plays one seed again; PERDURE_FUZZ_ROUNDS makes it longer.
 */
import proto from '@temporalio/proto';
import type { Service, Type } from 'protobufjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OPERATOR_SERVICE, WORKFLOW_SERVICE } from '../../../server/transport/grpc/open-api.js';
import { type EngineServer, startEngineServer } from '../engine-server.js';
import { type Answer, RawClient } from '../raw-client.js';
import { EvilMessages, mutate, seeded } from './evil-message.js';

const root = proto as unknown as { lookupService(name: string): Service };
const SEED = Number(process.env.PERDURE_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = Number(process.env.PERDURE_FUZZ_ROUNDS ?? 6);
/** A caller that waits longer for nothing goes away. */
const LEAVING = { timeoutMs: 20_000, cancelAfterMs: 400 };
const RUN0 = '00000000-0000-4000-8000-000000000000';

let server: EngineServer;
/** The one who sends what nobody should; its connection may be cut off, as one that resets streams by the thousand. */
let client: RawClient;
/** The one who has nothing to do with that. */
let bystander: RawClient;
beforeAll(async () => {
  server = await startEngineServer();
  client = new RawClient(server.address);
  bystander = new RawClient(server.address);
});
afterAll(async () => {
  client.close();
  bystander.close();
  await server.stop();
});

const call = (method: string, request: object, timeoutMs = 20_000) => bystander.call(WORKFLOW_SERVICE, method, request, { timeoutMs });

/** What the caller is told, in one line, so that a failure shows all of it. */
const told = ({ code, message }: Answer): string => `${code} ${message}`.trim();

const start = (namespace: string, workflowId: string) =>
  call('StartWorkflowExecution', { namespace, workflowId, workflowType: { name: 'Victim' }, taskQueue: { name: 'fuzz' } });

/** A real workflow task and its token, so that what follows gets past the first check. */
async function realTaskToken(): Promise<Buffer> {
  const { response } = await call('PollWorkflowTaskQueue', { namespace: 'default', taskQueue: { name: 'fuzz' } });
  return Buffer.from((response?.taskToken as Uint8Array | undefined) ?? []);
}

async function plausibleValues(round: number): Promise<Record<string, unknown[]>> {
  const workflowId = `victim-${round}`;
  const started = await start('default', workflowId);
  const token = await realTaskToken();
  const forged = Buffer.from(token);
  if (forged.length > 0) forged[Math.floor(forged.length / 2)] = 0xff;
  return {
    namespace: ['default', 'default', 'default', '', 'no-such-namespace'],
    workflowId: [workflowId, workflowId, 'nobody'],
    runId: ['', '', started.response?.runId, RUN0, 'xyz'],
    taskToken: [token, token, forged, Buffer.from('junk')],
    name: ['fuzz', 'Victim', 's', 'City'],
    signalName: ['s', ''],
    requestId: ['r1', 'r2', ''],
    identity: ['me'],
    query: ['', "WorkflowId = 'victim'", "StartTime > '0001-01-01' and CloseTime is null", 'nonsense ='],
    nextPageToken: [Buffer.alloc(0), Buffer.from('junk')],
    workflowExecutionRetentionPeriod: [{ seconds: 86_400 }],
    initialInterval: [{ seconds: 1 }, { seconds: 1 }, { seconds: -1 }],
    maximumInterval: [undefined],
    backoffCoefficient: [2],
    maximumAttempts: [0, 3],
    cronSchedule: ['', '', '', '@daily', 'nonsense'],
    activityId: ['a', 'b'],
    timerId: ['t', 'u'],
    scheduledEventId: [5, 6, 99],
    startToCloseTimeout: [{ seconds: 10 }],
    searchAttributes: [undefined],
    versioningOverride: [undefined],
    completionCallbacks: [[]],
    links: [[]],
  };
}

async function round(number: number): Promise<void> {
  const random = seeded(SEED + number);
  const plausible = await plausibleValues(number);
  const calls: Array<Promise<unknown>> = [];
  for (const service of [WORKFLOW_SERVICE, OPERATOR_SERVICE]) {
    for (const method of root.lookupService(service).methodsArray) {
      // what ends a namespace must not end the one that the others are about
      const own = /^(Delete|Deprecate|Update)Namespace$/.test(method.name) ? { ...plausible, namespace: ['spare', ''] } : plausible;
      const evil = new EvilMessages(random, own);
      const { resolvedRequestType: type } = method.resolve() as unknown as { resolvedRequestType: Type };
      const bytes = type.encode(type.fromObject(evil.message(type))).finish();
      calls.push(client.send(`/${service}/${method.name}`, bytes, LEAVING));
      calls.push(client.send(`/${service}/${method.name}`, mutate(bytes, random), LEAVING));
    }
  }
  await Promise.all(calls);
}

test(`seed ${SEED}: ${ROUNDS} requests of each of the 135 methods, and as many mutated ones`, {
  timeout: 60_000 + ROUNDS * 10_000,
}, async () => {
  expect(told(await start('bystander', 'calm'))).toBe('OK');
  for (let number = 0; number < ROUNDS; number++) await round(number);
  expect(
    server.errors.map(({ fields, text }) => ({
      text,
      method: fields.method,
      error: (fields.err as Error | undefined)?.stack?.slice(0, 600),
    })),
  ).toEqual([]);
  expect(
    told(
      await call('SignalWorkflowExecution', {
        namespace: 'bystander',
        workflowExecution: { workflowId: 'calm' },
        signalName: 'still there?',
      }),
    ),
  ).toBe('OK');
  const { response } = await call('GetWorkflowExecutionHistory', { namespace: 'bystander', execution: { workflowId: 'calm' } });
  const history = response?.history as { events: Array<{ eventType: string }> } | undefined;
  const events = history?.events.map(({ eventType }) => eventType.slice('EVENT_TYPE_'.length));
  expect(events).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_EXECUTION_SIGNALED']);
  expect(told(await start('default', 'after-the-storm'))).toBe('OK');
});

test('random commands and messages of a real workflow task', { timeout: 60_000 }, async () => {
  const type = root.lookupService(WORKFLOW_SERVICE).methods.RespondWorkflowTaskCompleted?.resolve() as unknown as {
    resolvedRequestType: Type;
  };
  for (let number = 0; number < ROUNDS * 10; number++) {
    const random = seeded(SEED + 1000 + number);
    const workflowId = `commands-${number}`;
    await call('StartWorkflowExecution', {
      namespace: 'default',
      workflowId,
      workflowType: { name: 'Victim' },
      taskQueue: { name: `q-${number}` },
    });
    const { response } = await call('PollWorkflowTaskQueue', { namespace: 'default', taskQueue: { name: `q-${number}` } });
    const evil = new EvilMessages(random, {
      ...(await plausibleValues(10_000 + number)),
      taskToken: [response?.taskToken],
      namespace: ['', 'default'],
    });
    const request = { ...evil.message(type.resolvedRequestType), taskToken: response?.taskToken };
    const bytes = type.resolvedRequestType.encode(type.resolvedRequestType.fromObject(request)).finish();
    await client.send(`/${WORKFLOW_SERVICE}/RespondWorkflowTaskCompleted`, bytes, { timeoutMs: 3_000 });
    // whatever became of it, the run can be described and ended
    const described = await call('DescribeWorkflowExecution', { namespace: 'default', execution: { workflowId } });
    expect(described.code, `seed ${SEED}, number ${number}: ${described.message}`).toBe('OK');
    await call('TerminateWorkflowExecution', { namespace: 'default', workflowExecution: { workflowId } });
  }
  expect(
    server.errors.map(({ fields, text }) => ({
      text,
      method: fields.method,
      error: (fields.err as Error | undefined)?.stack?.slice(0, 600),
    })),
  ).toEqual([]);
});
