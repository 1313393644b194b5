/** Perdure's own services, from `proto/perdure/v1/*.proto`: what the open API lacks. Their files are read with the first call, which keeps the parser out of the start. */
import { createRequire } from 'node:module';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { EncodedResponse, type Handlers } from '../../engine/call.js';

export interface OwnService {
  /** Path of the .proto file that declares it. */
  readonly protoPath: string;
  /** Full name, for example `perdure.v1.ApprovalService`. */
  readonly serviceName: string;
  /** Of every method that it declares. */
  readonly handlers: Handlers;
}

type Method = MethodDefinition<object, object>;

/** Messages as in the open API: camelCase fields, enums as numbers, int64 as Long, bytes as Buffers. */
function loadMethods({ protoPath, serviceName }: OwnService): Record<string, Method> {
  const { loadSync } = createRequire(import.meta.url)('@grpc/proto-loader') as typeof import('@grpc/proto-loader');
  const definition = loadSync(protoPath, { keepCase: false, defaults: true, arrays: true, objects: true, oneofs: true })[serviceName];
  if (!definition || typeof definition.format === 'string') throw new Error(`${protoPath} declares no service ${serviceName}`);
  return definition as Record<string, Method>;
}

/** The unary methods that have handlers. An answer may also be bytes that are already encoded. */
export function ownServiceDefinition(own: OwnService): ServiceDefinition {
  let methods: Record<string, Method> | undefined;
  const declared = (name: string): Method => {
    methods ??= loadMethods(own);
    const method = methods[name];
    if (!method) throw new Error(`${own.serviceName} has no method ${name}`);
    return method;
  };
  const definitionOf = (name: string): Method => ({
    path: `/${own.serviceName}/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message) => declared(name).requestSerialize(message),
    requestDeserialize: (bytes) => declared(name).requestDeserialize(bytes),
    responseSerialize: (message) => (message instanceof EncodedResponse ? message.bytes : declared(name).responseSerialize(message)),
    responseDeserialize: (bytes) => declared(name).responseDeserialize(bytes),
    originalName: name,
  });
  return Object.fromEntries(Object.keys(own.handlers).map((name) => [name, definitionOf(name)]));
}
