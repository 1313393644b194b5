/**
 * Server reflection, so that grpcurl and the like can list and call the services without having their protos.
 * Descriptors are made at the first question: most servers are never asked.
 */
import { createRequire } from 'node:module';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { Server, ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProto } from 'grpc-health-check';
import protobuf, { type Service } from 'protobufjs';
import type { OwnService } from './own-services.js';
import { fileDescriptors } from './file-descriptors.js';
import { errorDetailTypes, openApiReflection } from './open-api.js';

/** A mixin of protobufjs that is CommonJS: its default export is where its message types are. */
const descriptor = createRequire(import.meta.url)('protobufjs/ext/descriptor') as typeof import('protobufjs/ext/descriptor.js');

const HEALTH = { protoPath: healthProto, serviceName: 'grpc.health.v1.Health' };

type Declared = Pick<OwnService, 'protoPath' | 'serviceName'>;

function ownReflection(services: readonly Declared[]): Service[] {
  const root = new protobuf.Root().loadSync([...new Set(services.map(({ protoPath }) => protoPath))]);
  return services.map(({ serviceName }) => root.lookupService(serviceName));
}

function packageDefinition(openServices: readonly string[], own: readonly Declared[]): PackageDefinition {
  const services = [...openServices.map(openApiReflection), ...ownReflection([HEALTH, ...own])];
  const files = fileDescriptors(services, errorDetailTypes());
  const fileDescriptorProtos = files.map((file) => Buffer.from(descriptor.FileDescriptorProto.encode(file).finish()));
  return { all: { format: 'Protocol Buffer 3 EnumDescriptorProto', type: {}, fileDescriptorProtos } };
}

/** What a ReflectionService registers: it asks its server for addService and for nothing else. */
function registrations(service: ReflectionService): Array<[ServiceDefinition, UntypedServiceImplementation]> {
  const found: Array<[ServiceDefinition, UntypedServiceImplementation]> = [];
  service.addToServer({
    addService: (definition: ServiceDefinition, implementation: UntypedServiceImplementation) => found.push([definition, implementation]),
  } as unknown as Server);
  return found;
}

type Stream = ServerDuplexStream<object, object>;
type ReflectionImplementation = { ServerReflectionInfo(stream: Stream): void };

/** Adds both versions of the reflection service. */
export function addReflection(server: Server, openServices: readonly string[], own: readonly Declared[]): void {
  let made: ReflectionImplementation[] | undefined;
  const make = () =>
    registrations(new ReflectionService(packageDefinition(openServices, own))).map(
      ([, implementation]) => implementation as ReflectionImplementation,
    );
  for (const [index, [definition]] of registrations(new ReflectionService({})).entries()) {
    server.addService(definition, {
      ServerReflectionInfo: (stream: Stream) => {
        made ??= make();
        made[index]?.ServerReflectionInfo(stream);
      },
    });
  }
}
