/** Services that most servers are never asked for: their packages are loaded with the first call, which keeps them out of the start. */
import type { MethodDefinition, Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

/** A service as its package would register it. */
export type Registration = readonly [definition: ServiceDefinition, implementation: UntypedServiceImplementation];

/** What is known of a method without its package. */
export interface LazyMethod {
  readonly name: string;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

type AnyMethod = MethodDefinition<object, object>;
type AnyHandler = (...args: unknown[]) => void;

/** @param load Called for each message; must remember what it made. */
export function addLazyService(server: Server, service: string, methods: readonly LazyMethod[], load: () => Registration): void {
  const loaded = (name: string): { method: AnyMethod; handler: AnyHandler } => {
    const [definition, implementation] = load();
    const found = Object.entries(definition).find(([, { path }]) => path === `/${service}/${name}`);
    if (!found) throw new Error(`${service} has no method ${name}`);
    const [key, method] = found as [string, AnyMethod];
    return { method, handler: (implementation[key] ?? implementation[method.originalName ?? '']) as unknown as AnyHandler };
  };
  const definitions = methods.map(({ name, requestStream = false, responseStream = false }): [string, AnyMethod] => [
    name,
    {
      path: `/${service}/${name}`,
      requestStream,
      responseStream,
      requestSerialize: (message) => loaded(name).method.requestSerialize(message),
      requestDeserialize: (bytes) => loaded(name).method.requestDeserialize(bytes),
      responseSerialize: (message) => loaded(name).method.responseSerialize(message),
      responseDeserialize: (bytes) => loaded(name).method.responseDeserialize(bytes),
    },
  ]);
  const handlers = methods.map(({ name }): [string, AnyHandler] => [name, (...args) => loaded(name).handler(...args)]);
  server.addService(Object.fromEntries(definitions), Object.fromEntries(handlers) as unknown as UntypedServiceImplementation);
}

/** What a package's class would register: it asks its server for addService and for nothing else. */
export function registrations(service: { addToServer(server: Server): void }): Registration[] {
  const found: Registration[] = [];
  const addService = (definition: ServiceDefinition, implementation: UntypedServiceImplementation) => found.push([definition, implementation]);
  service.addToServer({ addService } as unknown as Server);
  return found;
}
