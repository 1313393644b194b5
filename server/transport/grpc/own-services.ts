/** Perdure's own services, from `proto/perdure/v1/*.proto`: what the open API lacks. */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { EncodedResponse, type Handlers } from '../../engine/call.js';

export interface OwnService {
  /** Path of the .proto file that declares it. */
  readonly protoPath: string;
  /** Full name, for example `perdure.v1.ApprovalService`. */
  readonly serviceName: string;
  readonly handlers: Handlers;
}

/** Messages as in the open API: camelCase fields, enums as numbers, int64 as Long, bytes as Buffers. */
export const loadProto = (protoPath: string, includeDirs: readonly string[] = []): PackageDefinition =>
  loadSync(protoPath, { keepCase: false, defaults: true, arrays: true, objects: true, oneofs: true, includeDirs: [...includeDirs] });

/** A method whose answer may also be bytes that are already encoded. */
const acceptingBytes = (method: MethodDefinition<object, object>): MethodDefinition<object, object> => ({
  ...method,
  responseSerialize: (message) => (message instanceof EncodedResponse ? Buffer.from(message.bytes) : method.responseSerialize(message)),
});

/** The service of that name in a loaded package. */
export function ownServiceDefinition(loaded: PackageDefinition, { serviceName, protoPath }: OwnService): ServiceDefinition {
  const definition = loaded[serviceName];
  if (!definition || typeof definition.format === 'string') throw new Error(`${protoPath} declares no service ${serviceName}`);
  const methods = definition as Record<string, MethodDefinition<object, object>>;
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, acceptingBytes(method)]));
}
