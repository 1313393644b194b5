/**
 * Server reflection, so that grpcurl and the like can list and call the services without having their protos.
 * The package is loaded and descriptors are made at the first question: most servers are never asked.
 */
import { createRequire } from 'node:module';
import type { PackageDefinition } from '@grpc/proto-loader';
import type { Server } from '@grpc/grpc-js';
import protobuf, { type Service } from 'protobufjs';
import type { OwnService } from './own-services.js';
import { fileDescriptors } from './file-descriptors.js';
import { healthPackage } from './health.js';
import { addLazyService, type Registration, registrations } from './lazy-service.js';
import { errorDetailTypes, openApiReflection } from './open-api.js';

/** CommonJS packages, loaded when they are asked for. */
const require = createRequire(import.meta.url);

type Declared = Pick<OwnService, 'protoPath' | 'serviceName'>;

function ownReflection(services: readonly Declared[]): Service[] {
  const root = new protobuf.Root().loadSync([...new Set(services.map(({ protoPath }) => protoPath))]);
  return services.map(({ serviceName }) => root.lookupService(serviceName));
}

function packageDefinition(openServices: readonly string[], own: readonly Declared[]): PackageDefinition {
  // a mixin of protobufjs: its default export is where its message types are
  const descriptor = require('protobufjs/ext/descriptor') as typeof import('protobufjs/ext/descriptor.js');
  const health = { protoPath: healthPackage().protoPath, serviceName: 'grpc.health.v1.Health' };
  const services = [...openServices.map(openApiReflection), ...ownReflection([health, ...own])];
  const files = fileDescriptors(services, errorDetailTypes());
  const fileDescriptorProtos = files.map((file) => Buffer.from(descriptor.FileDescriptorProto.encode(file).finish()));
  return { all: { format: 'Protocol Buffer 3 EnumDescriptorProto', type: {}, fileDescriptorProtos } };
}

/** Adds both versions of the reflection service. */
export function addReflection(server: Server, openServices: readonly string[], own: readonly Declared[]): void {
  let made: Registration[] | undefined;
  const make = () => {
    const { ReflectionService } = require('@grpc/reflection') as typeof import('@grpc/reflection');
    return registrations(new ReflectionService(packageDefinition(openServices, own)));
  };
  for (const service of ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection']) {
    const path = `/${service}/${METHOD.name}`;
    addLazyService(server, service, [METHOD], () => {
      made ??= make();
      return made.find(([definition]) => Object.values(definition).some((method) => method.path === path))!;
    });
  }
}

const METHOD = { name: 'ServerReflectionInfo', requestStream: true, responseStream: true };
