/** Encrypted connections, on both transports: certificates of a private authority, names, and clients that must show who they are. */
import { readFileSync } from 'node:fs';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../../../worker-sdk/transport/connection.js';
import { FakeWorkflowService } from '../../helpers/fake-workflow-service.js';
import { until } from '../../helpers/until.js';

/** Made for these tests, valid for a hundred years, for 127.0.0.1 and engine.test; good for nothing else. */
const pem = (name: string) => readFileSync(new URL(`../../helpers/tls/${name}`, import.meta.url));
const serverPair = [{ cert_chain: pem('server.crt'), private_key: pem('server.key') }];
const ca = { serverRootCACertificate: pem('ca.crt') };
const clientCertPair = { crt: pem('client.crt'), key: pem('client.key') };

describe.each([
  ['node:http2', {}],
  ['grpc-js', { channelArgs: {} }],
])('over %s', (_name, transport) => {
  const open = new FakeWorkflowService(ServerCredentials.createSsl(null, serverPair, false), true);
  const mutual = new FakeWorkflowService(ServerCredentials.createSsl(pem('ca.crt'), serverPair, true));
  beforeAll(async () => {
    await open.start();
    await mutual.start();
  });
  afterAll(() => {
    open.kill();
    mutual.kill();
  });
  const connect = (service: FakeWorkflowService, tls: object | boolean) =>
    Connection.connect({ address: service.address, tls, connectTimeout: 500, ...transport });

  test('a server is trusted by its authority, under its address or another name', async () => {
    const connection = await connect(open, ca);
    expect(connection.systemInfo?.serverVersion).toBe('fake');
    await connection.close();
    const named = await connect(open, { ...ca, serverNameOverride: 'engine.test' });
    await named.close();
  });

  test('a server that nobody vouches for, or under a name that is not its own, is refused', async () => {
    await expect(connect(open, true)).rejects.toThrow('Failed to connect');
    await expect(connect(open, { ...ca, serverNameOverride: 'other.test' })).rejects.toThrow('Failed to connect');
  });

  test('a client shows its certificate where one is asked for', async () => {
    const connection = await connect(mutual, { ...ca, clientCertPair });
    await connection.close();
    await expect(connect(mutual, ca)).rejects.toThrow('Failed to connect');
  });
});

test('the stream of calls is encrypted too', async () => {
  const service = await new FakeWorkflowService(ServerCredentials.createSsl(null, serverPair, false), true).start();
  const connection = await Connection.connect({ address: service.address, tls: ca });
  await until('the stream', () => connection.workflowService.getSystemInfo({}).then(() => service.calls.at(-1)!.streamed));
  await connection.close();
  service.kill();
});
