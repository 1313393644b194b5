/** Connections: waiting for servers, losing them, retrying, and saying what went wrong. Both transports behave alike. */
import net from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { Connection } from '../../../worker-sdk/transport/connection.js';
import type { ConnectionOptions } from '../../../worker-sdk/transport/connection-options.js';
import { findErrorDetail, type GrpcError, isGrpcCancelledError, isGrpcDeadlineError } from '../../../worker-sdk/transport/grpc-error.js';
import { defaultGrpcRetryOptions } from '../../../worker-sdk/transport/retry.js';
import { FakeError, FakeWorkflowService, never } from '../../helpers/fake-workflow-service.js';
import { until } from '../../helpers/until.js';

const fast = defaultGrpcRetryOptions({ initialIntervalMs: () => 5, maxIntervalMs: () => 20 });
const namespace = 'default';

const rejection = (promise: Promise<unknown>): Promise<GrpcError> =>
  promise.then(
    () => expect.fail('expected a rejection'),
    (err) => err,
  );

describe.each([
  ['node:http2', {}],
  ['node:http2 and its stream of calls', {}],
  ['grpc-js', { interceptors: [(options: object, next: (o: object) => never) => next(options)] }],
])('a connection over %s', (name, transport) => {
  const streams = name.includes('stream');
  const service = new FakeWorkflowService(undefined, streams);
  const open: Connection[] = [];
  const connect = async (options: ConnectionOptions = {}) => {
    const connection = Connection.lazy({ address: service.address, retry: fast, ...(transport as ConnectionOptions), ...options });
    open.push(connection);
    if (streams) {
      await until('the stream', () =>
        connection.workflowService.getSystemInfo({}).then(() => service.calls.some(({ streamed }) => streamed)),
      );
      service.calls.length = 0;
    }
    return connection;
  };

  afterEach(async () => {
    await Promise.all(open.splice(0).map((connection) => connection.close()));
    service.kill();
    service.calls.length = 0;
  });

  test('waits for a server that comes up later', async () => {
    const port = await freePort();
    const connecting = Connection.connect({ address: `127.0.0.1:${port}`, ...(transport as ConnectionOptions) });
    await service.start(port);
    open.push(await connecting);
    expect(open[0]!.systemInfo?.serverVersion).toBe('fake');
  });

  test('gives up on a server that does not come, naming its address', async () => {
    const port = await freePort();
    const connecting = Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 200, ...(transport as ConnectionOptions) });
    await expect(connecting).rejects.toThrow(`127.0.0.1:${port} within 200 ms`);
  });

  test('tries passing failures again with the same bytes, and final ones not', async () => {
    await service.start();
    service.on('StartWorkflowExecution', (_request, { nth }) => {
      if (nth < 3) throw new FakeError(status.UNAVAILABLE, 'not now');
      return { runId: 'r' };
    });
    service.on('SignalWorkflowExecution', () => {
      throw new FakeError(status.INVALID_ARGUMENT, 'never');
    });
    const { workflowService } = await connect();
    expect((await workflowService.startWorkflowExecution({ namespace, requestId: 'id' })).runId).toBe('r');
    expect(service.requests('StartWorkflowExecution').map((request) => request.requestId)).toEqual(['id', 'id', 'id']);
    expect(await rejection(workflowService.signalWorkflowExecution({ namespace }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'never',
    });
    expect(service.requests('SignalWorkflowExecution')).toHaveLength(1);
  });

  test('makes a call again whose answer was lost with the connection', async () => {
    await service.start();
    service.on('StartWorkflowExecution', async (_request, { nth }) => {
      if (nth > 1) return { runId: 'second' };
      service.kill();
      await service.start();
      return { runId: 'first, never received' };
    });
    const { workflowService } = await connect();
    expect((await workflowService.startWorkflowExecution({ namespace })).runId).toBe('second');
  });

  test('finishes calls under way when the server drains, and connects again for the next', async () => {
    await service.start();
    let release!: () => void;
    service.on('QueryWorkflow', async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return {};
    });
    const { workflowService } = await connect();
    const underWay = workflowService.queryWorkflow({ namespace });
    await service.called('QueryWorkflow');
    const drained = service.drain();
    release();
    await underWay;
    await drained;
    await service.start();
    await workflowService.getSystemInfo({});
  });

  test('ends a call at its deadline, without another attempt', async () => {
    await service.start();
    service.on('QueryWorkflow', never);
    const connection = await connect();
    const error = await rejection(connection.withDeadline(Date.now() + 100, () => connection.workflowService.queryWorkflow({ namespace })));
    expect(isGrpcDeadlineError(error)).toBe(true);
    expect(service.requests('QueryWorkflow')).toHaveLength(1);
  });

  test('ends a call when its signal aborts, and the server learns of it', async () => {
    await service.start();
    let learned!: () => void;
    const serverLearned = new Promise<void>((resolve) => {
      learned = resolve;
    });
    service.on('QueryWorkflow', async (request, call) => {
      await never(request, call);
      learned();
      return {};
    });
    const connection = await connect();
    const abort = new AbortController();
    const call = connection.withAbortSignal(abort.signal, () => connection.workflowService.queryWorkflow({ namespace }));
    await service.called('QueryWorkflow');
    abort.abort();
    expect(isGrpcCancelledError(await rejection(call))).toBe(true);
    await serverLearned;
  });

  test('ends all calls when it is closed', async () => {
    await service.start();
    service.on('QueryWorkflow', never);
    const connection = await connect();
    const call = rejection(connection.workflowService.queryWorkflow({ namespace }));
    await service.called('QueryWorkflow');
    await connection.close();
    expect((await call).code).toBe(status.CANCELLED);
  });

  test('sends who it is, its key, its namespace, and what the scope adds', async () => {
    await service.start();
    const connection = await connect({ apiKey: 'secret', tls: false, metadata: { 'X-Team': 'blue' } });
    await connection.withMetadata({ 'x-trace': '7' }, () => connection.workflowService.describeNamespace({ namespace: 'ns' }));
    const { metadata, streamed } = service.calls[0]!;
    // Metadata of one call alone makes it travel alone.
    expect(streamed).toBe(false);
    expect(metadata.getMap()).toMatchObject({
      'client-name': 'perdure-typescript',
      'client-version': expect.stringMatching(/^\d+\.\d+\.\d+/),
      authorization: 'Bearer secret',
      'temporal-namespace': 'ns',
      'x-team': 'blue',
      'x-trace': '7',
    });
    connection.setApiKey('other');
    await connection.workflowService.getSystemInfo({});
    expect(service.calls[1]!.metadata.get('authorization')).toEqual(['Bearer other']);
  });

  test('reads the typed details of a failure', async () => {
    await service.start();
    service.on('DescribeNamespace', () => {
      const name = 'temporal.api.errordetails.v1.NamespaceNotFoundFailure';
      throw new FakeError(status.NOT_FOUND, 'Ünknown namespace', [{ name, message: { namespace: 'gone' } }]);
    });
    const { workflowService } = await connect();
    const error = await rejection(workflowService.describeNamespace({ namespace: 'gone' }));
    expect(error.details).toBe('Ünknown namespace');
    expect(findErrorDetail(error, 'NamespaceNotFoundFailure')?.namespace).toBe('gone');
    expect(findErrorDetail(error, 'QueryFailedFailure')).toBeUndefined();
  });

  test('waits as long as an overloaded server says', async () => {
    await service.start();
    service.on('GetClusterInfo', (_request, { nth }) => {
      if (nth === 1) throw new FakeError(status.RESOURCE_EXHAUSTED, 'busy', [], { 'grpc-retry-pushback-ms': '60' });
      return {};
    });
    const { workflowService } = await connect();
    const begin = performance.now();
    await workflowService.getClusterInfo({});
    // The stream carries typed details but no other trailers: there the usual second is waited.
    expect(performance.now() - begin).toBeGreaterThan(streams ? 3 : 55);
  });

  test('carries large messages in both directions', async () => {
    await service.start();
    const data = new Uint8Array(3 << 20).fill(7);
    service.on('QueryWorkflow', (request) => ({ queryResult: request.query!.queryArgs }));
    const { workflowService } = await connect();
    const response = await workflowService.queryWorkflow({ namespace, query: { queryArgs: { payloads: [{ data }] } } });
    expect(Buffer.from(response.queryResult!.payloads![0]!.data!).equals(data)).toBe(true);
  });

  test('makes many calls at once', async () => {
    await service.start();
    service.on('CountWorkflowExecutions', (request) => ({ count: Number(request.query) }));
    const { workflowService } = await connect();
    const counts = await Promise.all(
      Array.from({ length: 300 }, (_, i) => workflowService.countWorkflowExecutions({ namespace, query: String(i) })),
    );
    expect(counts.map(({ count }) => Number(count))).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });
});

test('calls travel on the stream once the server has shown that it has one, and come back to it after a loss', async () => {
  const service = await new FakeWorkflowService(undefined, true).start();
  const connection = await Connection.connect({ address: service.address, retry: fast });
  const streamed = async () => {
    await connection.workflowService.getSystemInfo({});
    return service.calls.at(-1)!.streamed;
  };
  expect(service.calls[0]!.streamed).toBe(false);
  await until('the stream', streamed);
  service.kill();
  await service.start();
  await until('the stream again', streamed);
  connection.setApiKey('new');
  expect(await streamed()).toBe(false);
  await until('a stream with the new key', streamed);
  expect(service.calls.at(-1)!.metadata.get('authorization')).toEqual(['Bearer new']);
  await connection.close();
  service.kill();
});

test('on the stream, calls made in one go share a message, and a poll waits a moment for company', async () => {
  const service = await new FakeWorkflowService(undefined, true).start();
  service.on('PollWorkflowTaskQueue', never).on('CountWorkflowExecutions', () => ({}));
  const connection = await Connection.connect({ address: service.address });
  const { workflowService } = connection;
  await until('the stream', () => workflowService.getSystemInfo({}).then(() => service.calls.at(-1)!.streamed));
  const ended: Promise<unknown>[] = [];
  const poll = () => ended.push(workflowService.pollWorkflowTaskQueue({ namespace }).catch(() => undefined));
  const messageOf = (method: string, nth: number) => service.calls.filter((call) => call.method === method)[nth - 1]!.inMessage;

  await Promise.all([
    workflowService.countWorkflowExecutions({}),
    Promise.resolve().then(() => workflowService.countWorkflowExecutions({})),
  ]);
  expect(messageOf('CountWorkflowExecutions', 2)).toBe(messageOf('CountWorkflowExecutions', 1));

  // As a worker does: the next poll at once, the answer to its task when Node has told of rejections.
  poll();
  await new Promise((resolve) => setImmediate(resolve));
  await workflowService.countWorkflowExecutions({});
  expect(messageOf('PollWorkflowTaskQueue', 1)).toBe(messageOf('CountWorkflowExecutions', 3));

  poll();
  await service.called('PollWorkflowTaskQueue', 2);
  expect(messageOf('PollWorkflowTaskQueue', 2)).toBe(messageOf('CountWorkflowExecutions', 3) + 1);
  await connection.close();
  await Promise.all(ended);
  service.kill();
});

test('options that do not fit are refused, saying what was expected', () => {
  expect(() => Connection.lazy({ address: 'http://x:1' })).toThrow("Invalid address: expected 'host:port'");
  expect(() => Connection.lazy({ apiKey: 'a', metadata: { Authorization: 'b' } })).toThrow('not both');
  expect(Connection.lazy({ address: 'example.org' }).options.address).toBe('example.org:7233');
  expect(Connection.lazy({ address: '[::1]:5' }).options.address).toBe('[::1]:5');
});

test('a connection that nothing holds is idle: the process may end', async () => {
  const service = await new FakeWorkflowService().start();
  const connection = await Connection.connect({ address: service.address });
  const release = connection.hold({});
  await expect(connection.close()).rejects.toThrow('a worker still uses it');
  release();
  await connection.close();
  service.kill();
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
