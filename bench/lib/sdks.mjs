/** The two SDKs, and a client without any, behind one face, so that the same benchmark drives both. */
import { fileURLToPath } from 'node:url';

const ours = {
  workflows: fileURLToPath(new URL('../workflows/ours.mjs', import.meta.url)),
  async client(address, namespace) {
    const { Client, Connection } = await import('@perdure/sdk/client');
    const connection = await Connection.connect({ address });
    return { client: new Client({ connection, namespace }), connection, close: () => connection.close() };
  },
  async worker(address, options) {
    const { DefaultLogger, NativeConnection, Runtime, Worker } = await import('@perdure/sdk/worker');
    Runtime.install({ logger: new DefaultLogger('WARN') });
    const connection = await NativeConnection.connect({ address });
    return Worker.create({ connection, workflowsPath: ours.workflows, ...options });
  },
};

const official = {
  workflows: fileURLToPath(new URL('../workflows/official.mjs', import.meta.url)),
  async client(address, namespace) {
    const { Client, Connection } = await import('@temporalio/client');
    const connection = await Connection.connect({ address });
    return { client: new Client({ connection, namespace }), connection, close: () => connection.close() };
  },
  async worker(address, options) {
    const { DefaultLogger, NativeConnection, Runtime, Worker } = await import('@temporalio/worker');
    Runtime.install({ logger: new DefaultLogger('WARN') });
    const connection = await NativeConnection.connect({ address });
    return Worker.create({ connection, workflowsPath: official.workflows, ...options });
  },
};

/** No SDK at all: a client alone. */
const grpc = {
  async client(address, namespace) {
    const { plainClient } = await import('./plain-client.mjs');
    return plainClient(address, namespace);
  },
};

/** @param {'ours' | 'official' | 'grpc'} name */
export function sdk(name) {
  const found = { ours, official, grpc }[name];
  if (!found) throw new Error(`Unknown SDK: expected ours, official or (for clients) grpc, got ${name}`);
  return found;
}
