/** The stream of calls: batches of requests in, replies by id, errors with their details, cancelled calls told to their handlers. */
import { fileURLToPath } from 'node:url';
import { type ClientDuplexStream, credentials, makeClientConstructor, Metadata } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from '../../server/core/api.js';
import { namespaceNotFound, resourceExhausted } from '../../server/core/errors.js';
import type { Call, Gate, Turn } from '../../server/engine/call.js';
import { until } from '../helpers/until.js';
import { createGrpcServer, type GrpcServer } from '../../server/transport/grpc/grpc-server.js';

const PROTO = fileURLToPath(new URL('../../proto/perdure/v1/calls.proto', import.meta.url));
const { GetSystemInfoResponse, StartWorkflowExecutionRequest, StartWorkflowExecutionResponse, DescribeNamespaceRequest, PollWorkflowTaskQueueRequest } = api.workflowservice.v1;

interface Reply {
  id: number;
  code: number;
  message: string;
  details: Buffer;
  response: Buffer;
}
type Batch = { calls: { id: number; method: string; request: Uint8Array; timeoutMs: number }[]; cancelled: number[] };

const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, trace() {}, child: () => silent } as never;

describe('the stream of calls', () => {
  let server: GrpcServer;
  let stream: ClientDuplexStream<Batch, { replies: Reply[] }>;
  const waiting = new Map<number, (reply: Reply) => void>();
  const batches: number[] = [];
  let polls: Call[] = [];
  let answerPolls = (): void => undefined;
  let served = 0;
  const turns: Turn[] = [];
  const left: Uint8Array[] = [];
  let withdrawn = 0;
  const gate: Gate = {
    enter(_request, turn) {
      turns.push(turn);
      return { withdraw: () => withdrawn++, refuse: () => undefined };
    },
    leave: (request) => left.push(request),
  };
  const started: Call[] = [];

  beforeAll(async () => {
    server = createGrpcServer({
      host: '127.0.0.1',
      port: 0,
      log: silent,
      callStreamProto: PROTO,
      services: {
        workflow: {
          GetSystemInfo: async () => ({ serverVersion: '9.9.9' }),
          GetClusterInfo: async () => {
            served++;
            return { clusterName: 'x'.repeat(50_000) };
          },
          DescribeNamespace: async (request: { namespace: string }) => {
            throw namespaceNotFound(request.namespace);
          },
          StartWorkflowExecution: Object.assign(
            async ({ workflowId }: { workflowId: string }, call: Call) => {
              started.push(call);
              return { runId: `of ${workflowId}` };
            },
            { gate },
          ),
          PollWorkflowTaskQueue: (_request: object, call: Call) =>
            new Promise((resolve) => {
              polls.push(call);
              answerPolls = () => resolve({});
              call.onCancelled(() => resolve({}));
            }),
        },
        operator: {},
      },
    });
    const { address } = await server.start();
    const definition = loadSync(PROTO, { keepCase: false, defaults: true, arrays: true })['perdure.v1.CallService'] as never;
    const Client = makeClientConstructor(definition, 'CallService');
    const client = new Client(address, credentials.createInsecure());
    stream = (client as never as { Open(m: Metadata): typeof stream }).Open(new Metadata());
    stream.on('error', () => undefined);
    stream.on('data', ({ replies }: { replies: Reply[] }) => {
      batches.push(replies.length);
      for (const reply of replies) waiting.get(reply.id)?.(reply);
    });
  });

  afterAll(async () => {
    stream.end();
    await server.stop(1000);
  });

  /** Waits until a number has stayed the same for a quarter of a second. */
  const settled = async (read: () => number): Promise<void> => {
    let last = -1;
    await until('the number to settle', async () => {
      const before = read();
      await new Promise((resolve) => setTimeout(resolve, 250));
      const same = before > 0 && before === last && read() === before;
      last = read();
      return same;
    });
  };
  const replyTo = (id: number): Promise<Reply> => new Promise((resolve) => waiting.set(id, resolve));
  const send = (...calls: Batch['calls']): void => {
    stream.write({ calls, cancelled: [] });
  };
  const call = (id: number, method: string, request: Uint8Array = new Uint8Array()): Batch['calls'][number] => ({
    id,
    method,
    request,
    timeoutMs: 10_000,
  });

  it('answers every call of a batch under its own id, in few messages', async () => {
    batches.length = 0;
    const ids = Array.from({ length: 50 }, (_, i) => 100 + i);
    const replies = ids.map(replyTo);
    send(...ids.map((id) => call(id, 'GetSystemInfo')));
    for (const reply of await Promise.all(replies)) {
      expect(reply.code).toBe(0);
      expect(GetSystemInfoResponse.decode(reply.response).serverVersion).toBe('9.9.9');
    }
    expect(batches.length).toBeLessThan(10);
  });

  it('carries the status and the typed details of an expected failure', async () => {
    const reply = replyTo(1);
    send(call(1, 'DescribeNamespace', DescribeNamespaceRequest.encode({ namespace: 'nowhere' }).finish()));
    const { code, message, details } = await reply;
    expect(code).toBe(5);
    expect(message).toBe('Namespace nowhere is not found.');
    expect(details.toString('latin1')).toContain('temporal.api.errordetails.v1.NamespaceNotFoundFailure');
  });

  it('says UNIMPLEMENTED for a method that does not exist, and INVALID_ARGUMENT for bytes that are no request', async () => {
    const unknown = replyTo(2);
    const garbled = replyTo(3);
    send(call(2, 'NoSuchMethod'), call(3, 'DescribeNamespace', Buffer.from([0xff, 0xff, 0xff])));
    expect((await unknown).code).toBe(12);
    expect((await garbled).code).toBe(3);
  });

  it('a call with a gate is served when its turn comes, and refused undecoded when it does not', async () => {
    turns.length = 0;
    const [served, refused] = [replyTo(30), replyTo(31)];
    send(call(30, 'StartWorkflowExecution', StartWorkflowExecutionRequest.encode({ workflowId: 'w' }).finish()), call(31, 'StartWorkflowExecution', Buffer.from([0xff])));
    await until('both to wait', () => turns.length === 2);
    expect(started).toEqual([]);
    turns[0]!.begin();
    turns[1]!.refuse(resourceExhausted('later', { cause: 1, scope: 1, retryMs: 1_000 }));
    expect(StartWorkflowExecutionResponse.decode((await served).response).runId).toBe('of w');
    expect(await refused).toMatchObject({ code: 8, message: 'later' });
    expect([started.map((c) => c.hadItsTurn), left]).toEqual([[true], []]);
  });

  it('a call that had its turn and cannot be decoded gives it back', async () => {
    turns.length = 0;
    const reply = replyTo(32);
    send(call(32, 'StartWorkflowExecution', Buffer.from([0xff])));
    await until('it to wait', () => turns.length === 1);
    turns[0]!.begin();
    expect((await reply).code).toBe(3);
    expect(left.map((bytes) => [...bytes])).toEqual([[0xff]]);
  });

  it('a call that waits for its turn loses its place when its caller goes', async () => {
    turns.length = 0;
    send(call(33, 'StartWorkflowExecution', StartWorkflowExecutionRequest.encode({}).finish()));
    await until('it to wait', () => turns.length === 1);
    stream.write({ calls: [], cancelled: [33] });
    await until('its place to be free', () => withdrawn === 1);
  });

  it('refuses an id that is under way', async () => {
    polls = [];
    send(call(4, 'PollWorkflowTaskQueue', PollWorkflowTaskQueueRequest.encode({}).finish()));
    const second = replyTo(4);
    send(call(4, 'GetSystemInfo'));
    expect((await second).code).toBe(3);
    stream.write({ calls: [], cancelled: [4] });
  });

  it('leaves the first call of an id alone when a second comes', async () => {
    polls = [];
    send(call(8, 'PollWorkflowTaskQueue', PollWorkflowTaskQueueRequest.encode({}).finish()));
    const refused = replyTo(8);
    send(call(8, 'GetSystemInfo'));
    expect((await refused).code).toBe(3);
    const first = replyTo(8);
    answerPolls();
    expect((await first).code).toBe(0);
  });

  it('reads no more calls from a client that does not read its replies, and goes on when it does', async () => {
    const ids = Array.from({ length: 4_000 }, (_, i) => 10_000 + i);
    const replies = ids.map(replyTo);
    served = 0;
    stream.pause();
    for (let i = 0; i < ids.length; i += 20) send(...ids.slice(i, i + 20).map((id) => call(id, 'GetClusterInfo')));
    await settled(() => served);
    expect(served).toBeLessThan(ids.length / 2);
    stream.resume();
    const codes = (await Promise.all(replies)).map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set([0]));
  });

  it('tells a handler that its caller went away, and owes it no reply', async () => {
    polls = [];
    let answered = false;
    void replyTo(5).then(() => {
      answered = true;
    });
    send(call(5, 'PollWorkflowTaskQueue', PollWorkflowTaskQueueRequest.encode({}).finish()));
    const seen = replyTo(6);
    send(call(6, 'GetSystemInfo'));
    await seen;
    expect(polls).toHaveLength(1);
    const told = new Promise<void>((resolve) => polls[0]!.onCancelled(resolve));
    stream.write({ calls: [], cancelled: [5] });
    await told;
    const after = replyTo(7);
    send(call(7, 'GetSystemInfo'));
    await after;
    expect(answered).toBe(false);
  });
});
