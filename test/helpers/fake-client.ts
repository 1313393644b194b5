/** A client of a pretended server, for a file of tests. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { FakeWorkflowService } from './fake-workflow-service.js';

/** `ready` is told of the client and its connection before the first test. Returns the server, which forgets the calls of each test after it. */
export function useFakeService(ready: (client: Client, connection: Connection) => void): FakeWorkflowService {
  const service = new FakeWorkflowService();
  let connection: Connection;
  beforeAll(async () => {
    await service.start();
    connection = await Connection.connect({ address: service.address });
    ready(new Client({ connection, namespace: 'ns', identity: 'me' }), connection);
  });
  afterAll(async () => {
    await connection.close();
    service.kill();
  });
  afterEach(() => {
    service.calls.length = 0;
  });
  return service;
}

export const jsonPayload = (value: unknown) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
export const payloadValue = (payload: { data: Uint8Array }) => JSON.parse(Buffer.from(payload.data).toString());
