/**
 * What a server of the open API looks like that is not Perdure: the engine behind a proxy which lets the open API's services through, byte by
 * byte, and knows no other. It can also hide what the engine says it is capable of.
 */
import { Client, credentials, type handleUnaryCall, type Metadata, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import type { Service, Type } from 'protobufjs';

const root = proto as unknown as { lookupService(name: string): Service; lookupType(name: string): Type };
const SERVICES = ['temporal.api.workflowservice.v1.WorkflowService', 'temporal.api.operatorservice.v1.OperatorService'];
const raw = (bytes: Buffer): Buffer => bytes;

export interface ForeignServer {
  readonly address: string;
  stop(): void;
}

export interface ForeignServerOptions {
  /** Whether the answers of GetSystemInfo and DescribeNamespace name no capability. */
  hideCapabilities?: boolean;
}

export async function startForeignServer(target: string, { hideCapabilities = false }: ForeignServerOptions = {}): Promise<ForeignServer> {
  const client = new Client(target, credentials.createInsecure());
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  for (const name of SERVICES) {
    const { definition, handlers } = passThrough(name, client, hideCapabilities);
    server.addService(definition, handlers);
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return {
    address: `127.0.0.1:${port}`,
    stop() {
      server.forceShutdown();
      client.close();
    },
  };
}

function passThrough(serviceName: string, client: Client, hideCapabilities: boolean) {
  const definition: { -readonly [Method in keyof ServiceDefinition]: ServiceDefinition[Method] } = {};
  const handlers: Record<string, handleUnaryCall<Buffer, Buffer>> = {};
  for (const { name } of root.lookupService(serviceName).methodsArray) {
    const path = `/${serviceName}/${name}`;
    definition[name] = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    };
    handlers[name] = (call, callback) => {
      const deadline = call.getDeadline();
      const forwarded = client.makeUnaryRequest(
        path,
        raw,
        raw,
        call.request,
        metadataOf(call.metadata),
        { deadline },
        (error, response) => {
          if (error) callback({ code: error.code, details: error.details, metadata: error.metadata });
          else callback(null, hideCapabilities ? withoutCapabilities(name, response!) : response!);
        },
      );
      call.on('cancelled', () => forwarded.cancel());
    };
  }
  return { definition, handlers };
}

/** Without what belongs to one hop of the way. */
function metadataOf(given: Metadata): Metadata {
  const metadata = given.clone();
  for (const key of ['grpc-accept-encoding', 'grpc-encoding', 'te', 'user-agent', 'host', 'content-type']) metadata.remove(key);
  return metadata;
}

function withoutCapabilities(method: string, response: Buffer): Buffer {
  if (method !== 'GetSystemInfo' && method !== 'DescribeNamespace') return response;
  const type = root.lookupType(`temporal.api.workflowservice.v1.${method}Response`);
  const message = type.decode(response) as unknown as { capabilities?: object | null; namespaceInfo?: { capabilities?: object | null } };
  if (method === 'GetSystemInfo') message.capabilities = {};
  else if (message.namespaceInfo) message.namespaceInfo.capabilities = {};
  return Buffer.from(type.encode(message).finish());
}
