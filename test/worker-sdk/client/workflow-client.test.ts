/** The client's calls: what they send, how they wait, which errors they end with. */
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  CancelledFailure,
  Client,
  type Connection,
  NamespaceNotFoundError,
  QueryNotRegisteredError,
  QueryRejectedError,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowContinuedAsNewError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '../../../worker-sdk/client/index.js';
import { defineSearchAttributeKey, TypedSearchAttributes } from '../../../worker-sdk/index.js';
import { jsonPayload, payloadValue, useFakeService } from '../../helpers/fake-client.js';
import { FakeError } from '../../helpers/fake-workflow-service.js';

let connection: Connection;
let client: Client;
const service = useFakeService((made, over) => {
  client = made;
  connection = over;
});

/** Answers history polls with one close event after the other, by run. */
function closesWith(events: Record<string, object>): void {
  service.on('GetWorkflowExecutionHistory', (request) => ({ history: { events: [events[request.execution!.runId ?? '']!] } }));
}

async function orderWorkflow(_id: number, _items: string[]): Promise<string> {
  return 'never run here';
}

describe('start', () => {
  test('sends everything that it was given', async () => {
    service.on('StartWorkflowExecution', () => ({ runId: 'run-1' }));
    const total = defineSearchAttributeKey('Total', 'DOUBLE');
    const handle = await client.workflow.start(orderWorkflow, {
      workflowId: 'order-1',
      taskQueue: 'orders',
      args: [7, ['tea']],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowRunTimeout: '1 hour',
      workflowTaskTimeout: 2500,
      startDelay: '1.5s',
      retry: { maximumAttempts: 3, initialInterval: '2s' },
      memo: { note: 'n' },
      typedSearchAttributes: new TypedSearchAttributes([{ key: total, value: 1.5 }]),
      staticSummary: 'an order',
      priority: { priorityKey: 2 },
    });
    expect(handle).toMatchObject({ workflowId: 'order-1', firstExecutionRunId: 'run-1', eagerlyStarted: false });
    const [request] = service.requests('StartWorkflowExecution');
    expect(request).toMatchObject({
      namespace: 'ns',
      identity: 'me',
      workflowId: 'order-1',
      workflowIdReusePolicy: 3,
      workflowIdConflictPolicy: 2,
    });
    expect(request.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(request.workflowType.name).toBe('orderWorkflow');
    expect(request.taskQueue).toMatchObject({ name: 'orders', kind: 1 });
    expect(request.input.payloads.map(payloadValue)).toEqual([7, ['tea']]);
    expect(Number(request.workflowRunTimeout.seconds)).toBe(3600);
    expect(request.workflowTaskTimeout).toMatchObject({ nanos: 500_000_000 });
    expect(request.workflowStartDelay).toMatchObject({ nanos: 500_000_000 });
    expect(request.retryPolicy).toMatchObject({ maximumAttempts: 3 });
    expect(payloadValue(request.memo.fields.note)).toBe('n');
    expect(payloadValue(request.searchAttributes.indexedFields.Total)).toBe(1.5);
    expect(Buffer.from(request.searchAttributes.indexedFields.Total.metadata.type).toString()).toBe('Double');
    expect(payloadValue(request.userMetadata.summary)).toBe('an order');
    expect(request.priority.priorityKey).toBe(2);
  });

  test('of a workflow that is there already is an error of its own', async () => {
    service.on('StartWorkflowExecution', () => {
      throw new FakeError(status.ALREADY_EXISTS, 'already started');
    });
    const start = client.workflow.start('w', { workflowId: 'dup', taskQueue: 'q' });
    await expect(start).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    await expect(start).rejects.toMatchObject({ workflowId: 'dup', workflowType: 'w' });
  });

  test('in a namespace that is not there is an error of its own', async () => {
    service.on('StartWorkflowExecution', () => {
      throw new FakeError(status.NOT_FOUND, 'nope', [
        { name: 'temporal.api.errordetails.v1.NamespaceNotFoundFailure', message: { namespace: 'ns' } },
      ]);
    });
    await expect(client.workflow.start('w', { workflowId: 'x', taskQueue: 'q' })).rejects.toThrow(new NamespaceNotFoundError('ns'));
  });

  test('without a workflow id or a task queue is refused before any call', async () => {
    await expect(client.workflow.start('w', { workflowId: '', taskQueue: 'q' })).rejects.toThrow("Missing 'workflowId'");
    await expect(client.workflow.start('w', { workflowId: 'x', taskQueue: '' })).rejects.toThrow("Missing 'taskQueue'");
    expect(service.calls).toEqual([]);
  });

  test('with a signal sends both and remembers the run that got it', async () => {
    service.on('SignalWithStartWorkflowExecution', () => ({ runId: 'run-s' }));
    const handle = await client.workflow.signalWithStart('w', {
      workflowId: 'x',
      taskQueue: 'q',
      args: [1],
      signal: 'go',
      signalArgs: [2, 3],
    });
    expect(handle.signaledRunId).toBe('run-s');
    const [request] = service.requests('SignalWithStartWorkflowExecution');
    expect(request.signalName).toBe('go');
    expect(request.input.payloads.map(payloadValue)).toEqual([1]);
    expect(request.signalInput.payloads.map(payloadValue)).toEqual([2, 3]);
  });
});

describe('result', () => {
  test('waits through empty long polls and follows the chain of runs', async () => {
    const tokens: string[] = [];
    service.on('GetWorkflowExecutionHistory', (request, { nth }) => {
      tokens.push(`${request.execution!.runId}:${Buffer.from(request.nextPageToken ?? []).toString()}`);
      if (nth === 1) return { history: {}, nextPageToken: Buffer.from('t1') };
      if (nth === 2) return { history: { events: [{ workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'b' } }] } };
      return { history: { events: [{ workflowExecutionCompletedEventAttributes: { result: { payloads: [jsonPayload({ ok: 1 })] } } }] } };
    });
    expect(await client.workflow.getHandle('w', 'a').result()).toEqual({ ok: 1 });
    expect(tokens).toEqual(['a:', 'a:t1', 'b:']);
    expect(service.requests('GetWorkflowExecutionHistory')[0]).toMatchObject({
      waitNewEvent: true,
      historyEventFilterType: 2,
      skipArchival: true,
    });
  });

  test('of a workflow that continued as new, when the caller does not follow', async () => {
    closesWith({ a: { workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'b' } } });
    const result = client.workflow.getHandle('w', 'a', { followRuns: false }).result();
    await expect(result).rejects.toMatchObject({ newExecutionRunId: 'b' });
    await expect(result).rejects.toBeInstanceOf(WorkflowContinuedAsNewError);
  });

  test('of a failed workflow carries its failure, cause by cause', async () => {
    const inner = { message: 'root', applicationFailureInfo: { type: 'Root' } };
    const failure = {
      message: 'broken',
      applicationFailureInfo: { type: 'Broken', nonRetryable: true, details: { payloads: [jsonPayload(4)] } },
      cause: inner,
    };
    closesWith({ a: { workflowExecutionFailedEventAttributes: { failure, retryState: 5 } } });
    const error = await client.workflow
      .getHandle('w', 'a')
      .result()
      .catch((err) => err);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(error).toMatchObject({
      retryState: 'RETRY_POLICY_NOT_SET',
      cause: { message: 'broken', type: 'Broken', nonRetryable: true, details: [4], cause: { message: 'root' } },
    });
  });

  test.each([
    [{ workflowExecutionCanceledEventAttributes: { details: { payloads: [jsonPayload('d')] } } }, CancelledFailure],
    [{ workflowExecutionTerminatedEventAttributes: { reason: 'enough' } }, TerminatedFailure],
    [{ workflowExecutionTimedOutEventAttributes: { retryState: 3 } }, TimeoutFailure],
  ])('of a workflow that ended by %o', async (event, cause) => {
    closesWith({ a: event });
    const error = await client.workflow
      .getHandle('w', 'a')
      .result()
      .catch((err) => err);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(error.cause).toBeInstanceOf(cause);
  });

  test('of a workflow that is not there', async () => {
    service.on('GetWorkflowExecutionHistory', () => {
      throw new FakeError(status.NOT_FOUND, 'no such workflow');
    });
    await expect(client.workflow.getHandle('w', 'r').result()).rejects.toThrow(new WorkflowNotFoundError('no such workflow', 'w', 'r'));
  });

  test('execute starts and waits for the run that it started', async () => {
    service.on('StartWorkflowExecution', () => ({ runId: 'mine' }));
    closesWith({ mine: { workflowExecutionCompletedEventAttributes: { result: { payloads: [jsonPayload('done')] } } } });
    expect(await client.workflow.execute('w', { workflowId: 'w', taskQueue: 'q' })).toBe('done');
  });
});

describe('queries', () => {
  test('are answered, rejected, or not known', async () => {
    service.on('QueryWorkflow', (request) => {
      const { queryType } = request.query!;
      if (queryType === 'unknown') throw new FakeError(status.INVALID_ARGUMENT, 'no handler for unknown');
      if (queryType === 'closed') return { queryRejected: { status: 2 } };
      return {
        queryResult: {
          payloads: [jsonPayload([queryType, ...request.query!.queryArgs!.payloads!.map((p) => payloadValue(p as { data: Uint8Array }))])],
        },
      };
    });
    const handle = client.workflow.getHandle('w');
    expect(await handle.query('sum', 1, 2)).toEqual(['sum', 1, 2]);
    await expect(handle.query('closed')).rejects.toBeInstanceOf(QueryRejectedError);
    await expect(handle.query('unknown')).rejects.toThrow(new QueryNotRegisteredError('no handler for unknown', status.INVALID_ARGUMENT));
  });
});

test('a handle binds its calls to its run and chain', async () => {
  for (const method of ['SignalWorkflowExecution', 'RequestCancelWorkflowExecution', 'TerminateWorkflowExecution'])
    service.on(method, () => ({}));
  const handle = client.workflow.getHandle('w', 'r', { firstExecutionRunId: 'f' });
  await handle.signal('s', { a: 1 });
  await handle.cancel();
  await handle.terminate('why');
  expect(service.calls.map(({ request }) => request)).toMatchObject([
    { workflowExecution: { workflowId: 'w', runId: 'r' }, signalName: 's' },
    { workflowExecution: { workflowId: 'w', runId: 'r' }, firstExecutionRunId: 'f' },
    { workflowExecution: { workflowId: 'w', runId: 'r' }, firstExecutionRunId: 'f', reason: 'why' },
  ]);
});

test('describe decodes what the server says', async () => {
  service.on('DescribeWorkflowExecution', () => ({
    executionConfig: { userMetadata: { summary: jsonPayload('sum') } },
    workflowExecutionInfo: {
      execution: { workflowId: 'w', runId: 'r' },
      type: { name: 't' },
      status: 4,
      startTime: { seconds: 1700000000, nanos: 5e6 },
      historyLength: 12,
      memo: { fields: { m: jsonPayload('memo') } },
      searchAttributes: {
        indexedFields: {
          Since: {
            ...jsonPayload('2020-01-02T00:00:00.000Z'),
            metadata: { encoding: Buffer.from('json/plain'), type: Buffer.from('Datetime') },
          },
        },
      },
    },
  }));
  const description = await client.workflow.getHandle('w').describe();
  expect(description).toMatchObject({
    type: 't',
    runId: 'r',
    status: { code: 4, name: 'CANCELLED' },
    historyLength: 12,
    memo: { m: 'memo' },
  });
  expect(description.startTime).toEqual(new Date(1700000000005));
  expect(description.typedSearchAttributes.get(defineSearchAttributeKey('Since', 'DATETIME'))).toEqual(new Date('2020-01-02'));
  expect(await description.staticSummary()).toBe('sum');
  expect(await description.staticDetails()).toBeUndefined();
});

test('lists and histories are fetched page by page', async () => {
  const info = (id: string) => ({ execution: { workflowId: id, runId: `run-${id}` }, type: { name: 't' } });
  service.on('ListWorkflowExecutions', (request) =>
    request.nextPageToken?.length ? { executions: [info('c')] } : { executions: [info('a'), info('b')], nextPageToken: Buffer.from('2') },
  );
  service.on('GetWorkflowExecutionHistory', (request) =>
    request.nextPageToken?.length
      ? { history: { events: [{ eventId: 2 }] } }
      : { history: { events: [{ eventId: 1 }] }, nextPageToken: Buffer.from('2') },
  );
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: 'x = 1' })) ids.push(workflowId);
  expect(ids).toEqual(['a', 'b', 'c']);
  const histories = new Map<string, number>();
  for await (const { workflowId, history } of client.workflow.list().intoHistories({ concurrency: 2, bufferLimit: 1 })) {
    histories.set(workflowId, (history as { events: unknown[] }).events.length);
  }
  expect(Object.fromEntries(histories)).toEqual({ a: 2, b: 2, c: 2 });
});

test('interceptors wrap calls, the first outermost, in the old form and the new', async () => {
  service.on('StartWorkflowExecution', () => ({ runId: 'r' }));
  const log: string[] = [];
  const intercepted = new Client({
    connection,
    interceptors: {
      workflow: [
        {
          start: async (input, next) => {
            log.push('old in');
            const runId = await next({ ...input, headers: { ...input.headers, h: jsonPayload('v') } });
            log.push('old out');
            return runId;
          },
        },
        {
          startWithDetails: async (input, next) => {
            log.push('new in');
            const output = await next(input);
            log.push('new out');
            return output;
          },
        },
      ],
    },
  });
  await intercepted.workflow.start('w', { workflowId: 'w', taskQueue: 'q' });
  expect(log).toEqual(['old in', 'new in', 'new out', 'old out']);
  expect(payloadValue(service.requests('StartWorkflowExecution')[0].header.fields.h)).toBe('v');
});

test('codecs see all payloads but search attributes', async () => {
  service.on('StartWorkflowExecution', () => ({ runId: 'r' }));
  const flip = async (payloads: { data?: Uint8Array | null; metadata?: Record<string, Uint8Array> | null }[]) =>
    payloads.map((payload) => ({ ...payload, data: payload.data?.map((byte) => byte ^ 255) }));
  const encrypted = new Client({ connection, dataConverter: { payloadCodecs: [{ encode: flip, decode: flip }] } });
  await encrypted.workflow.start('w', {
    workflowId: 'w',
    taskQueue: 'q',
    args: ['secret'],
    memo: { m: 'secret' },
    typedSearchAttributes: [{ key: defineSearchAttributeKey('K', 'KEYWORD'), value: 'open' }],
  });
  const [request] = service.requests('StartWorkflowExecution');
  expect(Buffer.from(request.input.payloads[0].data).toString()).not.toContain('secret');
  expect(Buffer.from(request.memo.fields.m.data).toString()).not.toContain('secret');
  expect(payloadValue(request.searchAttributes.indexedFields.K)).toBe('open');
  closesWith({
    r: {
      workflowExecutionFailedEventAttributes: {
        failure: { message: 'm', applicationFailureInfo: { details: { payloads: await flip([jsonPayload('deep')]) } } },
      },
    },
  });
  const error = await encrypted.workflow
    .getHandle('w', 'r')
    .result()
    .catch((err) => err);
  expect(error.cause.details).toEqual(['deep']);
});
