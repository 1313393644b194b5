/** A client that asks for much and reads nothing: what it asks for beyond a bound is refused, and served again once it has read. */
import http2 from 'node:http2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EncodedResponse } from '../../server/engine/call.js';
import { createGrpcServer, type GrpcServer } from '../../server/transport/grpc/grpc-server.js';
import { until } from '../helpers/until.js';

const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, trace() {}, child: () => silent } as never;
const PATH = '/temporal.api.workflowservice.v1.WorkflowService/GetWorkflowExecutionHistory';
const ANSWER_BYTES = 100_000;
let server: GrpcServer;
let port: number;
let answered = 0;

beforeAll(async () => {
  const history = async () => {
    answered++;
    return new EncodedResponse(Buffer.alloc(ANSWER_BYTES)); // field 0: nobody decodes it
  };
  server = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    log: silent,
    services: { workflow: { GetWorkflowExecutionHistory: history }, operator: {} },
    limits: { unreadBytesMax: 10 * ANSWER_BYTES },
  });
  port = (await server.start()).port;
});
afterAll(() => server.stop(100));

it('has a bounded number of answers in memory', async () => {
  // a window of nothing: no answer of any length gets through; statuses travel in headers and do
  const client = http2.connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
  const statuses: string[] = [];
  let ended = 0;
  const ask = () => {
    const stream = client.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' });
    const note = (headers: http2.IncomingHttpHeaders) => headers['grpc-status'] !== undefined && statuses.push(String(headers['grpc-status']));
    stream.on('response', note).on('trailers', note).on('error', () => undefined);
    stream.on('end', () => ended++);
    stream.resume();
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  };
  for (let i = 0; i < 30; i++) ask();
  await until('all to be handled', () => answered === 30);
  await until('some to be refused', () => statuses.length === 19);
  expect(new Set(statuses)).toEqual(new Set(['8']));
  // it begins to read
  client.settings({ initialWindowSize: 1_000_000 });
  await until('the rest to be read', () => statuses.filter((status) => status === '0').length === 11);
  expect(ended).toBe(30);
  ask();
  await until('the next to be served', () => statuses.filter((status) => status === '0').length === 12);
  client.destroy();
});
