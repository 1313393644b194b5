/** Each of the 135 methods answers for itself, whatever it is sent. */
import proto from '@temporalio/proto';
import type { Service } from 'protobufjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OPERATOR_SERVICE, openApiService, WORKFLOW_SERVICE } from '../../server/transport/grpc/open-api.js';
import { type EngineServer, startEngineServer } from './engine-server.js';
import { type Answer, RawClient } from './raw-client.js';

/** Methods that need nothing. */
const CONTENT_WITH_NOTHING = new Set([
  'ListNamespaces',
  'GetSystemInfo',
  'GetClusterInfo',
  'GetSearchAttributes',
  'ListClusters',
  'ListNexusEndpoints',
]);

let server: EngineServer;
let client: RawClient;
beforeAll(async () => {
  server = await startEngineServer();
  client = new RawClient(server.address);
});
afterAll(async () => {
  client.close();
  await server.stop();
});

const methods = [WORKFLOW_SERVICE, OPERATOR_SERVICE].flatMap((service) =>
  Object.keys(openApiService(service)).map((method) => [service, method] as const),
);

const hasNamespace = (service: string, method: string): boolean => {
  const definition = (proto as unknown as { lookupService(name: string): Service }).lookupService(service).methods[method];
  definition?.resolve();
  return definition?.resolvedRequestType?.fields.namespace !== undefined;
};

const namesItself = (method: string, { code, message }: Answer): boolean => code === 'UNIMPLEMENTED' && message.includes(method);

test.each(methods)('%s/%s, sent an empty message, says what is missing', async (service, method) => {
  const answer = await client.call(service, method, {}, { timeoutMs: 5_000 });
  if (namesItself(method, answer)) return;
  if (CONTENT_WITH_NOTHING.has(method)) expect(answer).toMatchObject({ code: 'OK' });
  else expect(answer).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/not set|is empty/) });
});

test.each(methods)('%s/%s for a namespace that does not exist says so', async (service, method) => {
  const answer = await client.call(service, method, { namespace: 'no-such-namespace' }, { timeoutMs: 5_000 });
  if (namesItself(method, answer) || !hasNamespace(service, method) || method === 'RegisterNamespace') return;
  expect(answer).toMatchObject({
    code: 'NOT_FOUND',
    message: 'Namespace no-such-namespace is not found.',
    details: [{ type: 'temporal.api.errordetails.v1.NamespaceNotFoundFailure', value: { namespace: 'no-such-namespace' } }],
  });
});

test('none of that was a defect', () => {
  expect(server.errors).toEqual([]);
});
