/** A connection to a server: typed calls of the open API and of Perdure's own services, over grpc-js. */
import { Client, credentials, type ServiceError as GrpcError, status } from '@grpc/grpc-js';
import { UserError } from '../errors.js';
import type { Approvals } from './approvals-service.js';
import type { WorkflowService } from './open-api.js';

/** Enough for a server that answers; what waits by design (results, queries) says more. */
const CALL_MS = 30_000;

/** Sends one encoded request and returns the encoded response. */
export type Send = (path: string, request: Uint8Array, timeoutMs?: number) => Promise<Buffer>;

export interface Connection {
  /** Methods of WorkflowService by their camelCase names. */
  workflows(): Promise<WorkflowService>;
  approvals(): Promise<Approvals>;
  close(): void;
}

export const connect = (address: string): Connection => {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': 128 << 20 });
  const send: Send = (path, request, timeoutMs = CALL_MS) =>
    new Promise((resolve, reject) => {
      const bytes = (buffer: Buffer): Buffer => buffer;
      client.makeUnaryRequest(path, bytes, bytes, Buffer.from(request), { deadline: Date.now() + timeoutMs }, (error, response) => {
        if (error) reject(explain(error, address, path));
        else resolve(response ?? Buffer.alloc(0));
      });
    });
  return {
    workflows: async () => (await import('./open-api.js')).workflowService(send),
    approvals: async () => (await import('./approvals-service.js')).approvalService(send),
    close: () => client.close(),
  };
};

/** Words of grpc-js and the system, not of a server. */
const NETWORK = /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|Name resolution|No connection established|Connection dropped/;

/** The server's own words where there are some; for what the network says, words that help. */
const explain = (error: GrpcError, address: string, path: string): UserError => {
  if (error.code === status.UNAVAILABLE && NETWORK.test(error.message)) {
    return new UserError(`No server answers at ${address}. Is it running (\`npm start\`, or \`perdure server start-dev\`)? --address or PERDURE_ADDRESS names another.`);
  }
  if (error.code === status.DEADLINE_EXCEEDED) return new UserError(`${path.split('/').pop()}: no answer from ${address} in time. ${error.details}`.trim());
  return new RpcError(error.details || error.message, error.code);
};

/** The server refused. */
export class RpcError extends UserError {
  constructor(
    message: string,
    readonly code: status,
  ) {
    super(message);
  }
}

/** Runs a verb with a connection and closes it, whatever comes. */
export const withServer = async <T>(options: { readonly address: string }, verb: (connection: Connection) => Promise<T>): Promise<T> => {
  const connection = connect(options.address);
  try {
    return await verb(connection);
  } finally {
    connection.close();
  }
};
