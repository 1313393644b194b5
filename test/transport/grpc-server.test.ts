import { connect } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { api } from '../../server/core/api.js';
import { detail, notFound, ServiceError } from '../../server/core/errors.js';
import { type Call, EncodedResponse, type Gate, type Handlers, type Turn } from '../../server/engine/call.js';
import { createGrpcServer, type GrpcServer } from '../../server/transport/grpc/grpc-server.js';
import { OPERATOR_SERVICE, openApiService, WORKFLOW_SERVICE } from '../../server/transport/grpc/open-api.js';
import { until } from '../helpers/until.js';
import { RawClient } from './raw-client.js';

const closers: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(
  workflow: Handlers,
  limits = {},
): Promise<{ client: RawClient; server: GrpcServer; address: string; logged: object[] }> {
  const logged: object[] = [];
  const log = { error: (fields: object) => logged.push(fields), warn: () => {}, info: () => {} };
  const server = createGrpcServer({ host: '127.0.0.1', port: 0, services: { workflow, operator: {} }, log, limits });
  const { address } = await server.start();
  const client = new RawClient(address);
  closers.push(() => server.stop(100));
  closers.push(() => client.close());
  return { client, server, address, logged };
}

test('a handler gets the decoded request and the call, and its answer is encoded', async () => {
  let seen: { namespace?: string } = {};
  let call: Call | undefined;
  const { client } = await serve({
    DescribeNamespace: async (request, context) => {
      seen = request;
      call = context;
      return { namespaceInfo: { name: 'orders' } };
    },
  });
  const before = Date.now();
  const answer = await client.call(
    WORKFLOW_SERVICE,
    'DescribeNamespace',
    { namespace: 'orders' },
    { timeoutMs: 5000, metadata: { 'client-name': 'temporal-go', 'client-version': '1.2.3' } },
  );
  expect(answer.response).toEqual({ namespaceInfo: { name: 'orders' } });
  expect(seen.namespace).toBe('orders');
  expect(call).toMatchObject({ method: 'DescribeNamespace', clientName: 'temporal-go', clientVersion: '1.2.3', cancelled: false });
  expect(call?.deadline).toBeGreaterThan(before + 4000);
  expect(call?.deadline).toBeLessThan(before + 6000);
});

test('an answer that is already encoded is sent as it is', async () => {
  const Response = api.workflowservice.v1.GetWorkflowExecutionHistoryResponse;
  const bytes = Uint8Array.from(Response.encode({ nextPageToken: Buffer.from('next') }).finish());
  const { client } = await serve({ GetWorkflowExecutionHistory: async () => new EncodedResponse(bytes) });
  const answer = await client.call(WORKFLOW_SERVICE, 'GetWorkflowExecutionHistory', {});
  expect(answer.bytes).toEqual(Buffer.from(bytes));
});

test('an expected failure keeps its code, text and typed details', async () => {
  const failure = new ServiceError('ALREADY_EXISTS', 'Workflow execution is already running.', [
    detail('WorkflowExecutionAlreadyStartedFailure', { startRequestId: 'r1', runId: 'run-1' }),
  ]);
  const { client } = await serve({
    StartWorkflowExecution: () => Promise.reject(failure),
    SignalWorkflowExecution: () => Promise.reject(notFound('no such run')),
  });
  expect(await client.call(WORKFLOW_SERVICE, 'StartWorkflowExecution', {})).toEqual({
    code: 'ALREADY_EXISTS',
    message: 'Workflow execution is already running.',
    details: [
      { type: 'temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure', value: { startRequestId: 'r1', runId: 'run-1' } },
    ],
  });
  expect(await client.call(WORKFLOW_SERVICE, 'SignalWorkflowExecution', {})).toMatchObject({
    code: 'NOT_FOUND',
    details: [{ type: 'temporal.api.errordetails.v1.NotFoundFailure' }],
  });
});

test('a defect answers INTERNAL without its text, and is logged with its stack', async () => {
  const { client, logged } = await serve({
    CountWorkflowExecutions: () => {
      throw new TypeError('secret of the database');
    },
  });
  const answer = await client.call(WORKFLOW_SERVICE, 'CountWorkflowExecutions', {});
  expect(answer.code).toBe('INTERNAL');
  expect(answer.message).not.toContain('secret');
  expect(logged).toEqual([{ method: 'CountWorkflowExecutions', err: expect.objectContaining({ message: 'secret of the database' }) }]);
});

test('all 135 methods answer: one without a handler says so by its name', async () => {
  const { client } = await serve({});
  for (const [service, count] of [
    [WORKFLOW_SERVICE, 123],
    [OPERATOR_SERVICE, 12],
  ] as const) {
    const methods = Object.keys(openApiService(service));
    expect(methods).toHaveLength(count);
    const answers = await Promise.all(methods.map((method) => client.send(`/${service}/${method}`, Buffer.alloc(0))));
    for (const [index, answer] of answers.entries())
      expect(answer).toMatchObject({ code: 'UNIMPLEMENTED', message: expect.stringContaining(String(methods[index])) });
  }
});

test('a text that no header can carry is made sendable', async () => {
  const { client } = await serve({
    StartWorkflowExecution: () =>
      Promise.reject(new ServiceError('INVALID_ARGUMENT', `half a pair \ud83d, a\nline and ${'é'.repeat(50_000)}`)),
    SignalWorkflowExecution: () =>
      Promise.reject(new ServiceError('INVALID_ARGUMENT', 'x', [detail('NamespaceNotFoundFailure', { namespace: 'n'.repeat(100_000) })])),
  });
  const answer = await client.call(WORKFLOW_SERVICE, 'StartWorkflowExecution', {});
  expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/^half a pair \uFFFD, a\nline and é+…$/) });
  expect(await client.call(WORKFLOW_SERVICE, 'SignalWorkflowExecution', {})).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'x' });
});

test('a failed query keeps its type and message, however long its stack trace is', async () => {
  const failure = {
    message: 'no such order',
    stackTrace: 'at line\n'.repeat(5_000),
    applicationFailureInfo: { type: 'NotFound', nonRetryable: true },
  };
  const { client } = await serve({
    QueryWorkflow: () => Promise.reject(new ServiceError('INVALID_ARGUMENT', 'no such order', [detail('QueryFailedFailure', { failure })])),
  });
  const answer = await client.call(WORKFLOW_SERVICE, 'QueryWorkflow', {});
  expect(answer.details).toMatchObject([
    {
      type: expect.stringContaining('QueryFailedFailure'),
      value: { failure: { message: 'no such order', applicationFailureInfo: { type: 'NotFound' } } },
    },
  ]);
});

test('no error is larger than what every client takes: 16 KiB of headers', async () => {
  const { client, address } = await serve({
    StartWorkflowExecution: () =>
      Promise.reject(
        new ServiceError('INVALID_ARGUMENT', 'é '.repeat(9_000), [detail('NamespaceNotFoundFailure', { namespace: 'é'.repeat(2_000) })]),
      ),
  });
  expect((await client.call(WORKFLOW_SERVICE, 'StartWorkflowExecution', {})).details).toHaveLength(1);
  const size = await new Promise<number>((resolve, reject) => {
    const session = connect(`http://${address}`).on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${WORKFLOW_SERVICE}/StartWorkflowExecution`,
      'content-type': 'application/grpc',
    });
    stream.on('response', (headers) => {
      session.close();
      resolve(Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 32, 0));
    });
    stream.end(Buffer.alloc(5));
  });
  expect(size).toBeLessThan(16 * 1024);
});

test('a request over the limit answers RESOURCE_EXHAUSTED, and the connection goes on', async () => {
  const { client } = await serve({ SignalWorkflowExecution: async () => ({}) }, { maxReceiveBytes: 1000 });
  const big = await client.call(WORKFLOW_SERVICE, 'SignalWorkflowExecution', { signalName: 'x'.repeat(2000) });
  expect(big.code).toBe('RESOURCE_EXHAUSTED');
  expect((await client.call(WORKFLOW_SERVICE, 'SignalWorkflowExecution', { signalName: 'x' })).code).toBe('OK');
});

test('the listener of a cancel runs when the caller goes away, and not after an answer', async () => {
  const told: string[] = [];
  let entered = () => {};
  const inside = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    void inside.then(resolve);
  });
  let cancelled = () => {};
  const cancel = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const { client } = await serve({
    PollWorkflowTaskQueue: (_request, call) => {
      call.onCancelled(() => {
        told.push('poll');
        cancelled();
      });
      entered();
      return new Promise(() => {});
    },
    DescribeNamespace: async (_request, call) => {
      call.onCancelled(() => told.push('describe'));
      return {};
    },
  });
  await client.call(WORKFLOW_SERVICE, 'DescribeNamespace', {});
  const poll = client.call(WORKFLOW_SERVICE, 'PollWorkflowTaskQueue', {}, { timeoutMs: 300 });
  await gone;
  expect((await poll).code).toBe('DEADLINE_EXCEEDED');
  await cancel;
  expect(told).toEqual(['poll']);
});

test('a port that is taken is named in the error', async () => {
  const { address } = await serve({});
  const port = Number(address.split(':')[1]);
  const second = createGrpcServer({ host: '127.0.0.1', port, services: { workflow: {}, operator: {} }, log: console });
  await expect(second.start()).rejects.toThrow(`gRPC cannot listen on 127.0.0.1:${port}: address already in use (EADDRINUSE)`);
});

test('stop lets a call end, and cuts it when the grace is over', async () => {
  let entered = () => {};
  const inside = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const { client, server } = await serve({
    PollWorkflowTaskQueue: () => {
      entered();
      return new Promise(() => {});
    },
  });
  const poll = client.call(WORKFLOW_SERVICE, 'PollWorkflowTaskQueue', {});
  await inside;
  await server.stop(50);
  expect((await poll).code).not.toBe('OK');
});

test('a handler for a method that the API does not have is refused at start', () => {
  const create = () =>
    createGrpcServer({
      host: '127.0.0.1',
      port: 0,
      services: { workflow: { StartWorkflow: async () => ({}) }, operator: {} },
      log: console,
    });
  expect(create).toThrow('has no method StartWorkflow');
});

test('a client that this server does not go with is told so before anything else', async () => {
  let called = 0;
  const { client } = await serve({
    GetSystemInfo: async () => {
      called++;
      return {};
    },
  });
  const call = (supported: string) =>
    client.call(WORKFLOW_SERVICE, 'GetSystemInfo', {}, { metadata: { 'supported-server-versions': supported } });
  expect((await call('>=1.0.0 <2.0.0')).code).toBe('OK');
  expect(await call('<0.1.0')).toMatchObject({
    code: 'FAILED_PRECONDITION',
    details: [{ type: 'temporal.api.errordetails.v1.ServerVersionNotSupportedFailure' }],
  });
  expect((await call('banana')).code).toBe('INVALID_ARGUMENT');
  expect(called).toBe(1);
});

test('a method with a gate: requests that wait are not decoded, and what has its turn is', async () => {
  const { StartWorkflowExecutionRequest, StartWorkflowExecutionResponse } = api.workflowservice.v1;
  const turns: Turn[] = [];
  const left: number[] = [];
  let withdrawn = 0;
  const gate: Gate = {
    enter(request, turn) {
      if (request.length === 0) return undefined;
      turns.push(turn);
      return { withdraw: () => withdrawn++, refuse: () => undefined };
    },
    leave: ({ length }) => left.push(length),
  };
  const start = async ({ workflowId }: { workflowId: string }, call: Call) => ({ runId: `${workflowId} ${call.hadItsTurn}` });
  const { client } = await serve({ StartWorkflowExecution: Object.assign(start, { gate }) });
  const send = (bytes: Uint8Array, options = {}) => client.send(`/${WORKFLOW_SERVICE}/StartWorkflowExecution`, bytes, options);
  const atOnce = await send(new Uint8Array());
  expect(StartWorkflowExecutionResponse.decode(atOnce.bytes!).runId).toBe(' true');
  const waits = send(StartWorkflowExecutionRequest.encode({ workflowId: 'w' }).finish());
  await until('it to wait', () => turns.length === 1);
  const garbled = send(Uint8Array.of(0xff));
  await until('both to wait', () => turns.length === 2);
  const refused = send(Uint8Array.of(0xff));
  await until('all to wait', () => turns.length === 3);
  const cancelled = send(Uint8Array.of(0xff), { cancelAfterMs: 50 });
  await until('a place to be given up', () => withdrawn === 1);
  turns[0]!.begin();
  turns[1]!.begin();
  turns[2]!.refuse(notFound('not today'));
  expect(StartWorkflowExecutionResponse.decode((await waits).bytes!).runId).toBe('w true');
  expect((await garbled).code).toBe('INVALID_ARGUMENT');
  expect(left).toEqual([1]);
  expect(await refused).toMatchObject({ code: 'NOT_FOUND', message: 'not today' });
  expect((await cancelled).code).toBe('CANCELLED');
});

test('of the calls of one connection that wait for their turn, the oldest make room for others', async () => {
  const waiting: Turn[] = [];
  const gate: Gate = {
    enter(_request, turn) {
      waiting.push(turn);
      return { withdraw: () => undefined, refuse: () => turn.refuse(notFound('too many')) };
    },
    leave: () => undefined,
  };
  const start = async ({ workflowId }: { workflowId: string }) => ({ runId: workflowId });
  const { client, address } = await serve({ StartWorkflowExecution: Object.assign(start, { gate }) }, { heldCallsMax: 2 });
  const other = new RawClient(address);
  closers.push(() => other.close());
  const send = async (from: RawClient) => {
    const before = waiting.length;
    const answer = from.call(WORKFLOW_SERVICE, 'StartWorkflowExecution', {});
    await until('it to wait', () => waiting.length > before);
    return answer.then(({ code }) => code);
  };
  const sent = [send(client)];
  for (const from of [client, other, client, client]) {
    await until('the one before to wait', () => waiting.length === sent.length);
    sent.push(send(from));
  }
  await until('all to wait', () => waiting.length === 5);
  expect(await Promise.all(sent.slice(0, 2))).toEqual(['NOT_FOUND', 'NOT_FOUND']);
  for (const turn of waiting.slice(2)) turn.begin();
  expect(await Promise.all(sent.slice(2))).toEqual(['OK', 'OK', 'OK']);
});
