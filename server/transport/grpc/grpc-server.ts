/** The gRPC server: the open API's services, our own, health and reflection on one port. */
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { unimplemented } from '../../core/errors.js';
import type { Handler, Handlers } from '../../engine/call.js';
import { API_SERVER_VERSION } from '../../engine/capabilities.js';
import { bindAddress, cannotListen } from './bind-address.js';
import { clientAdmission } from './client-admission.js';
import { CALL_SERVICE, callService, openCallStream, streamMethods } from './call-stream.js';
import { Connections } from './connections.js';
import { createHealth } from './health.js';
import { HeldCalls } from './held-calls.js';
import type { GrpcLog } from './log.js';
import { OPERATOR_SERVICE, openApiService, TEST_SERVICE, WORKFLOW_SERVICE } from './open-api.js';
import { type OwnService, ownServiceDefinition } from './own-services.js';
import { addReflection } from './reflection.js';
import { type Surroundings, unary, undecoded } from './unary-call.js';
import { UnreadAnswers } from './unread-answers.js';

export interface GrpcServerOptions {
  /** Address to bind, for example `127.0.0.1` or `::1`. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly services: { readonly workflow: Handlers; readonly operator: Handlers; /** Only in test mode. */ readonly test?: Handlers };
  readonly extraServices?: readonly OwnService[];
  /** Path of calls.proto, which reflection shows: the stream of calls is served. */
  readonly callStreamProto?: string;
  /** Binds nothing: another process accepts connections and hands them over (`connections`). */
  readonly handed?: boolean;
  readonly log: GrpcLog;
  readonly limits?: Partial<GrpcLimits>;
}

interface GrpcLimits {
  /** A larger request answers RESOURCE_EXHAUSTED. */
  readonly maxReceiveBytes: number;
  readonly maxSendBytes: number;
  /** Calls under way on one connection; more wait in the client. Long polls count. */
  readonly maxConcurrentStreams: number;
  /** Bytes of large answers that a connection may have unread; what it reads beyond that is refused until it has. */
  readonly unreadBytesMax: number;
  /** Calls of one connection that wait for their turn. */
  readonly heldCallsMax: number;
}

const DEFAULT_LIMITS: GrpcLimits = {
  maxReceiveBytes: 4 * 1024 * 1024,
  maxSendBytes: 128 * 1024 * 1024,
  maxConcurrentStreams: 4096,
  unreadBytesMax: 64 * 1024 * 1024,
  heldCallsMax: 2_500,
};

export interface GrpcServer {
  /** Those that were handed over. */
  readonly connections: Connections;
  /** Binds and serves. Rejects with a text that names the address when it cannot. */
  start(): Promise<{ host: string; port: number; address: string }>;
  /** Health as checkers see it; SERVING from the start on. */
  setServing(serving: boolean): void;
  /** Takes no new connection, lets calls end for that long, then cuts them. */
  stop(graceMs: number): Promise<void>;
}

const absent = (service: string, method: string): Handler<object> => {
  const error = unimplemented(`Method ${method} of ${service} is not implemented by this server.`);
  return () => Promise.reject(error);
};

/** Every method of the service, each with its handler or with the answer that there is none. */
function implementation(
  service: string,
  definition: ServiceDefinition,
  handlers: Handlers,
  surroundings: Surroundings,
): UntypedServiceImplementation {
  const unknown = Object.keys(handlers).filter(
    (name) => !Object.values(definition).some((method) => method.path === `/${service}/${name}`),
  );
  if (unknown.length > 0) throw new Error(`${service} has no method ${unknown.join(', ')}`);
  return Object.fromEntries(
    Object.entries(definition).map(([key, method]) => {
      const name = method.path.slice(service.length + 2);
      return [key, unary(name, handlers[name] ?? absent(service, name), surroundings, method.requestDeserialize)];
    }),
  );
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(bindAddress(host, port), ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(cannotListen(host, port, error));
      else resolve(bound);
    });
  });
}

function shutdown(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.forceShutdown();
      resolve(); // a connection whose other side is frozen never closes, and the callback below never comes
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}

/** What grpc-js would print on its own comes back as errors as well, or says nothing that a user could act on. */
function silenceLibrary(): void {
  if (!process.env.GRPC_VERBOSITY && !process.env.GRPC_TRACE) setLogVerbosity(logVerbosity.NONE);
}

/** A server that is not yet listening. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { host, port, services, extraServices = [], log } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  silenceLibrary();
  const server = new Server({
    'grpc.max_receive_message_length': limits.maxReceiveBytes,
    'grpc.max_send_message_length': limits.maxSendBytes,
    'grpc.max_concurrent_streams': limits.maxConcurrentStreams,
  });
  const admit = clientAdmission(API_SERVER_VERSION);
  const connections = new Connections(server);
  const surroundings = { admit, log, unread: new UnreadAnswers(limits.unreadBytesMax), held: new HeldCalls(limits.heldCallsMax), connections: options.handed ? connections : undefined };
  const add = (name: string, definition: ServiceDefinition, handlers: Handlers) =>
    server.addService(undecoded(definition, (method) => handlers[method]), implementation(name, definition, handlers, surroundings));
  const open: [name: string, handlers: Handlers][] = [[WORKFLOW_SERVICE, services.workflow], [OPERATOR_SERVICE, services.operator]];
  if (services.test) open.push([TEST_SERVICE, services.test]);
  for (const [name, handlers] of open) add(name, openApiService(name), handlers);
  for (const own of extraServices) add(own.serviceName, ownServiceDefinition(own), own.handlers);
  const declared: { serviceName: string; protoPath: string }[] = [...extraServices];
  if (options.callStreamProto) {
    const methods = streamMethods(
      open.map(([service, handlers]) => ({ definition: openApiService(service), handlerOf: (name) => handlers[name] ?? absent(service, name) })),
    );
    server.addService(callService, { Open: openCallStream(methods, surroundings) });
    declared.push({ protoPath: options.callStreamProto, serviceName: CALL_SERVICE });
  }
  const health = createHealth([...open.map(([name]) => name), ...declared.map((own) => own.serviceName)]);
  health.addTo(server);
  addReflection(server, open.map(([name]) => name), declared);
  return {
    connections,
    async start() {
      const bound = options.handed ? port : await bind(server, host, port);
      health.setServing(true);
      return { host, port: bound, address: bindAddress(host, bound) };
    },
    setServing: (serving) => health.setServing(serving),
    stop(graceMs) {
      health.setServing(false);
      return shutdown(server, graceMs);
    },
  };
}
