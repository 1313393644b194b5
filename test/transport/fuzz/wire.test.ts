/** The connection itself: frames, headers and bytes that no client library sends. Each is answered or cut off, and the next caller is served. */
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import path from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { api } from '../../../server/core/api.js';
import { createGrpcServer, type GrpcServer } from '../../../server/transport/grpc/grpc-server.js';
import { WORKFLOW_SERVICE } from '../../../server/transport/grpc/open-api.js';

const START = `/${WORKFLOW_SERVICE}/StartWorkflowExecution`;
const POLL = `/${WORKFLOW_SERVICE}/PollWorkflowTaskQueue`;
const CALLS = '/perdure.v1.CallService/Open';

let server: GrpcServer;
let port: number;
const defects: object[] = [];
beforeAll(async () => {
  const workflow = { StartWorkflowExecution: async () => ({ runId: 'r' }), PollWorkflowTaskQueue: () => new Promise<object>(() => {}) };
  const log = { error: (fields: object) => defects.push(fields), warn: () => {}, info: () => {} };
  server = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    services: { workflow, operator: {} },
    callStreamProto: path.resolve('proto/perdure/v1/calls.proto'),
    log,
  });
  port = (await server.start()).port;
});
afterAll(() => server.stop(50));

/** One message as gRPC frames it. */
function frame(message: Uint8Array, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = compressed;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

interface Sent {
  headers?: Record<string, string>;
  chunks?: Uint8Array[];
  /** Leave the stream open and reset it after this. */
  resetAfterMs?: number;
}

/** The gRPC status, `http <status>` when there is none, or what became of the stream. */
function send({ headers = {}, chunks = [], resetAfterMs }: Sent): Promise<string> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    let answer = 'cut off';
    const note = (received: IncomingHttpHeaders) => {
      answer = received['grpc-status'] === undefined ? `http ${received[':status'] ?? ''}` : String(received['grpc-status']);
    };
    const stream = session.request({ ':method': 'POST', ':path': START, 'content-type': 'application/grpc', te: 'trailers', ...headers });
    session.on('error', () => resolve('cut off'));
    stream
      .on('response', note)
      .on('trailers', note)
      .on('error', () => {})
      .resume();
    stream.on('close', () => {
      session.close();
      resolve(answer);
    });
    for (const chunk of chunks) stream.write(chunk);
    if (resetAfterMs === undefined) stream.end();
    else setTimeout(() => stream.close(8), resetAfterMs);
  });
}

const served = async () => expect(await send({ chunks: [frame(Buffer.alloc(0))] })).toBe('0');

const INTERNAL = '13';
const RESOURCE_EXHAUSTED = '8';
const UNIMPLEMENTED = '12';
const empty = [frame(Buffer.alloc(0))];

test.each<[string, Sent, string]>([
  ['gzip', { headers: { 'grpc-encoding': 'gzip' }, chunks: [frame(gzipSync(Buffer.alloc(0)), 1)] }, '0'],
  ['deflate', { headers: { 'grpc-encoding': 'deflate' }, chunks: [frame(deflateSync(Buffer.alloc(0)), 1)] }, '0'],
  ['no message', {}, UNIMPLEMENTED],
  ['half a frame', { chunks: [Buffer.from([0, 0, 0])] }, UNIMPLEMENTED],
  ['two messages', { chunks: [frame(Buffer.alloc(0)), frame(Buffer.alloc(0))] }, UNIMPLEMENTED],
  ['a frame that claims 4 GiB', { chunks: [Buffer.from([0, 255, 255, 255, 255, 1])] }, RESOURCE_EXHAUSTED],
  ['a message one byte too large', { chunks: [frame(Buffer.alloc(4 * 1024 * 1024 + 1))] }, RESOURCE_EXHAUSTED],
  [
    'a small message that unpacks to 100 MB',
    { headers: { 'grpc-encoding': 'gzip' }, chunks: [frame(gzipSync(Buffer.alloc(1e8)), 1)] },
    RESOURCE_EXHAUSTED,
  ],
  ['gzip that is none', { headers: { 'grpc-encoding': 'gzip' }, chunks: [frame(Buffer.from('no'), 1)] }, INTERNAL],
  ['a compression nobody knows', { headers: { 'grpc-encoding': 'br' }, chunks: [frame(Buffer.from('no'), 1)] }, UNIMPLEMENTED],
  ['bytes that are no message', { chunks: [frame(Buffer.from('ffffffff', 'hex'))] }, INTERNAL],
  ['three million open groups', { chunks: [frame(Buffer.alloc(3_000_000, 0x0b))] }, INTERNAL],
  ['a deadline that is no time', { headers: { 'grpc-timeout': 'soon' }, chunks: empty }, INTERNAL],
  ['a content type of another kind', { headers: { 'content-type': 'text/plain' }, chunks: empty }, 'http 415'],
  ['a method that does not exist', { headers: { ':path': `/${WORKFLOW_SERVICE}/NoSuchMethod` }, chunks: empty }, UNIMPLEMENTED],
  ['a path of odd bytes', { headers: { ':path': '/é/%00ÿ' }, chunks: empty }, UNIMPLEMENTED],
  ['a path with a meaning in JavaScript', { headers: { ':path': '/__proto__/constructor' }, chunks: empty }, UNIMPLEMENTED],
  ['binary metadata that is not base64', { headers: { 'x-bin': '!!' }, chunks: empty }, '0'],
  [
    'more headers than anybody needs',
    { headers: Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`x-${i}`, 'v'])), chunks: empty },
    'cut off',
  ],
  ['a caller that leaves in the middle of a frame', { chunks: [Buffer.from([0, 0, 0, 1])], resetAfterMs: 20 }, 'cut off'],
  ['a poller that leaves', { headers: { ':path': POLL }, chunks: empty, resetAfterMs: 20 }, 'cut off'],
])('%s', async (_what, sent, expected) => {
  expect(await send(sent)).toBe(expected);
  await served();
});

/** A length-delimited field with these bytes. */
function field(tag: number, bytes: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), bytes]);
}

/** RespondActivityTaskFailed with a failure of that many causes, each inside the one before. */
function failedWithCauses(depth: number): Buffer {
  const [causeTag, failureTag] = [0x22, 0x12];
  let failure: Uint8Array = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) failure = field(causeTag, failure);
  return field(failureTag, failure);
}

test('a message that is nested without end is refused, one that is nested deep is read', async () => {
  const read = api.workflowservice.v1.RespondActivityTaskFailedRequest.decode(failedWithCauses(2));
  expect(read.failure?.cause?.cause).toBeTruthy();
  const headers = { ':path': `/${WORKFLOW_SERVICE}/RespondActivityTaskFailed` };
  expect(await send({ headers, chunks: [frame(failedWithCauses(20))] })).toBe(UNIMPLEMENTED);
  expect(await send({ headers, chunks: [frame(failedWithCauses(10_000))] })).toBe(INTERNAL);
  await served();
});

test('random bytes to random paths', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(START, POLL, CALLS, '/x'),
      fc.constantFrom(0, 1, undefined),
      async (bytes, to, flag) => {
        await send({ headers: { ':path': to }, chunks: [flag === undefined ? bytes : frame(bytes, flag)], resetAfterMs: 30 });
      },
    ),
    { numRuns: 60 },
  );
  await served();
});

test('random bytes instead of HTTP/2', async () => {
  const garbage = [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(500, 0xff)]),
    ...fc.sample(fc.uint8Array({ minLength: 1, maxLength: 500 }), 20),
  ];
  const closed = garbage.map(
    (bytes) =>
      new Promise<void>((resolve) => {
        const socket = connectTcp(port, '127.0.0.1', () => socket.end(bytes));
        socket
          .on('error', () => resolve())
          .on('close', () => resolve())
          .resume();
      }),
  );
  await Promise.all(closed);
  await served();
});

test('pings on an idle connection are answered, however many', async () => {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const goaways: number[] = [];
  session.on('goaway', (code) => goaways.push(code));
  await new Promise<void>((resolve) => session.once('connect', () => resolve()));
  for (let i = 0; i < 500; i++) await new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));
  session.close();
  expect(goaways).toEqual([]);
});

test('a connection that opens and resets streams by the thousand is cut off; others are not', async () => {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const over = new Promise<void>((resolve) => session.on('close', () => resolve()));
  session.on('error', () => {});
  for (let i = 0; i < 5_000 && !session.closed && !session.destroyed; i++) {
    session
      .request({ ':method': 'POST', ':path': POLL, 'content-type': 'application/grpc' })
      .on('error', () => {})
      .close(8);
  }
  session.close();
  await over;
  await served();
});

test('none of that was a defect of ours', () => {
  expect(defects).toEqual([]);
});
