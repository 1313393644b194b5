import { createRequire } from 'node:module';
import path from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { MethodDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import type { IFileDescriptorProto } from 'protobufjs/ext/descriptor.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGrpcServer, type GrpcServer } from '../../server/transport/grpc/grpc-server.js';
import { OPERATOR_SERVICE, WORKFLOW_SERVICE } from '../../server/transport/grpc/open-api.js';

const require = createRequire(import.meta.url);
const descriptor = require('protobufjs/ext/descriptor') as typeof import('protobufjs/ext/descriptor.js');

const approvals = { protoPath: path.resolve('proto/perdure/v1/approvals.proto'), serviceName: 'perdure.v1.ApprovalService', handlers: { ListApprovals: async () => ({}) } };

let server: GrpcServer;
let client: Client;
beforeAll(async () => {
  server = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    services: { workflow: {}, operator: {} },
    extraServices: [approvals],
    log: console,
  });
  client = new Client((await server.start()).address, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.stop(100);
});

interface Reply {
  listServicesResponse?: { service: Array<{ name: string }> };
  fileDescriptorResponse?: { fileDescriptorProto: Uint8Array[] };
  errorResponse?: { errorMessage: string };
}

/** Asks one question of the reflection service, in either of its versions. */
function ask(version: 'v1' | 'v1alpha', question: object): Promise<Reply> {
  const proto = path.join(
    path.dirname(require.resolve('@grpc/reflection/package.json')),
    `build/proto/grpc/reflection/${version}/reflection.proto`,
  );
  const service = loadSync(proto, { defaults: false })[`grpc.reflection.${version}.ServerReflection`] as unknown as Record<
    string,
    MethodDefinition<object, Reply>
  >;
  const method = service.ServerReflectionInfo;
  if (!method) throw new Error(`no reflection ${version}`);
  const stream = client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, {});
  return new Promise((resolve, reject) => {
    stream.on('data', resolve).on('error', reject);
    stream.write(question);
    stream.end();
  });
}

async function filesOf(symbol: string): Promise<IFileDescriptorProto[]> {
  const reply = await ask('v1', { fileContainingSymbol: symbol });
  return (reply.fileDescriptorResponse?.fileDescriptorProto ?? []).map(
    (bytes) => descriptor.FileDescriptorProto.decode(bytes) as IFileDescriptorProto,
  );
}

test.each(['v1', 'v1alpha'] as const)('%s lists the open API, our own services and health', async (version) => {
  const reply = await ask(version, { listServices: '*' });
  const names = reply.listServicesResponse?.service.map(({ name }) => name).sort();
  expect(names).toEqual(['grpc.health.v1.Health', 'perdure.v1.ApprovalService', OPERATOR_SERVICE, WORKFLOW_SERVICE].sort());
});

test.each([WORKFLOW_SERVICE, OPERATOR_SERVICE, 'perdure.v1.ApprovalService'])(
  'the files of %s are complete: each names what it needs, and that is there',
  async (service) => {
    const files = await filesOf(service);
    const names = files.map((file) => file.name);
    expect(new Set(names).size).toBe(names.length);
    for (const file of files) for (const needed of file.dependency ?? []) expect(names, `${file.name} needs ${needed}`).toContain(needed);
    const described = protobuf.Root.fromDescriptor({ file: files }).lookupService(service);
    for (const method of described.methodsArray) {
      method.resolve();
      expect(method.resolvedRequestType, method.name).toBeTruthy();
      expect(method.resolvedResponseType, method.name).toBeTruthy();
    }
  },
);

test('a message that is written by the description is the one that the API reads', async () => {
  const root = protobuf.Root.fromDescriptor({ file: await filesOf(WORKFLOW_SERVICE) });
  const name = 'temporal.api.workflowservice.v1.StartWorkflowExecutionRequest';
  const described = root.lookupType(name);
  const { api } = await import('../../server/core/api.js');
  const request = {
    workflowId: 'w',
    workflowRunTimeout: { seconds: 5 },
    workflowIdReusePolicy: 3,
    retryPolicy: { backoffCoefficient: 2.5, nonRetryableErrorTypes: ['A', 'B'] },
    memo: { fields: { key: { data: Buffer.from('x') } } },
    links: [{ workflowEvent: { workflowId: 'other', eventRef: { eventId: 3 } } }],
  };
  const read = api.workflowservice.v1.StartWorkflowExecutionRequest.decode(described.encode(described.fromObject(request)).finish());
  const plain = { longs: Number };
  expect(api.workflowservice.v1.StartWorkflowExecutionRequest.toObject(read, plain)).toEqual(request);
});

test('typed details of errors are described, and what is not there is said so', async () => {
  expect(await filesOf('temporal.api.errordetails.v1.QueryFailedFailure')).not.toHaveLength(0);
  expect((await ask('v1', { fileContainingSymbol: 'no.Such' })).errorResponse?.errorMessage).toContain('no.Such');
});
