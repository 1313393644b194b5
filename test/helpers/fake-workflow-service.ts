/** A WorkflowService on a real gRPC server whose answers a test scripts: for failures that a healthy engine never shows. */
import { fileURLToPath } from 'node:url';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { Metadata, Server, ServerCredentials, type ServerDuplexStream, type ServiceDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import proto, { type temporal } from '@temporalio/proto';
import type { Root, Type } from 'protobufjs';
import { until } from './until.js';

const root = proto as unknown as Root;
const SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
const CALLS_PROTO = fileURLToPath(new URL('../../proto/perdure/v1/calls.proto', import.meta.url));

type Service = temporal.api.workflowservice.v1.WorkflowService;
type Lower<Name extends string> = Uncapitalize<Name> & keyof Service;
type RequestOf<M extends keyof Service> = Service[M] extends { (request: infer R): unknown } ? R : never;

/** What a handler knows of its call. */
export interface FakeCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  /** Resolves when the caller goes away. */
  readonly gone: Promise<void>;
  /** How often this method was called so far, this time included. */
  readonly nth: number;
}

export type FakeHandler = (request: never, call: FakeCall) => object | Promise<object>;

/** A status to answer with, with typed details. */
export class FakeError extends Error {
  constructor(
    readonly code: status,
    readonly details: string,
    readonly typed: { name: string; message: object }[] = [],
    readonly extra: Record<string, string> = {},
  ) {
    super(details);
  }

  metadata(): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(this.extra)) metadata.set(key, value);
    if (this.typed.length > 0) {
      const details = this.typed.map(({ name, message }) => ({
        type_url: `type.googleapis.com/${name}`,
        value: root.lookupType(name).encode(message).finish(),
      }));
      const bytes = proto.google.rpc.Status.encode({ code: this.code, message: this.details, details }).finish();
      metadata.set('grpc-status-details-bin', Buffer.from(bytes));
    }
    return metadata;
  }
}

interface StreamedCall {
  id: number;
  method: string;
  request: Buffer;
}

/** A call that reached the server. */
export interface SeenCall {
  method: string;
  /** Whether it came by the stream of calls. */
  streamed: boolean;
  /** In which of the stream's messages, counted from 1; 0 when it came by itself. */
  inMessage: number;
  // biome-ignore lint/suspicious/noExplicitAny: requests of every method, which tests look into freely.
  request: any;
  metadata: Metadata;
}

/** The scripted service. */
export class FakeWorkflowService {
  readonly calls: SeenCall[] = [];
  private readonly handlers = new Map<string, FakeHandler>();
  private server: Server | undefined;
  private boundPort = 0;
  private messages = 0;

  /** @param offersStream Whether the service has the stream of calls too. */
  constructor(
    private readonly credentials: ServerCredentials = ServerCredentials.createInsecure(),
    private readonly offersStream = false,
  ) {
    this.on('GetSystemInfo', () => ({ serverVersion: 'fake', capabilities: {} }));
    this.on('DescribeNamespace', () => ({ namespaceInfo: { capabilities: {} } }));
    this.on('ShutdownWorker', () => ({}));
  }

  get address(): string {
    return `127.0.0.1:${this.boundPort}`;
  }

  /** Scripts a method; without a script it answers UNIMPLEMENTED. */
  on<M extends string>(method: M, handler: (request: NonNullable<RequestOf<Lower<M>>>, call: FakeCall) => object | Promise<object>): this {
    this.handlers.set(method, handler as FakeHandler);
    return this;
  }

  /** Requests that a method got. */
  // biome-ignore lint/suspicious/noExplicitAny: requests of every method, which tests look into freely.
  requests(method: string): any[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.request);
  }

  /** Waits until a method was called `count` times. */
  async called(method: string, count = 1): Promise<void> {
    await until(`${count} calls of ${method}`, () => this.requests(method).length >= count);
  }

  /** Starts on a free port, or again on the one it had. */
  async start(port = this.boundPort): Promise<this> {
    const server = new Server({ 'grpc.max_receive_message_length': 64 << 20 });
    server.addService(this.definition(), this.implementation());
    if (this.offersStream) this.addStream(server);
    this.boundPort = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`127.0.0.1:${port}`, this.credentials, (err, bound) => (err ? reject(err) : resolve(bound))),
    );
    this.server = server;
    return this;
  }

  /** Goes away as a killed process does: connections are cut. */
  kill(): void {
    this.server?.forceShutdown();
    this.server = undefined;
  }

  /** Takes no new calls and waits for those under way. */
  drain(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    return new Promise((resolve, reject) => (server ? server.tryShutdown((err) => (err ? reject(err) : resolve())) : resolve()));
  }

  private definition() {
    const methods = root.lookupService(SERVICE).methodsArray.map((method) => {
      method.resolve();
      const codec = (type: Type) => ({
        serialize: (message: object) => Buffer.from(type.encode(message).finish()),
        deserialize: (bytes: Buffer) => type.decode(bytes),
      });
      const request = codec(method.resolvedRequestType!);
      const response = codec(method.resolvedResponseType!);
      return {
        name: method.name,
        path: `/${SERVICE}/${method.name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: request.serialize,
        requestDeserialize: request.deserialize,
        responseSerialize: response.serialize,
        responseDeserialize: response.deserialize,
      };
    });
    return Object.fromEntries(methods.map(({ name, ...definition }) => [name, definition]));
  }

  private implementation() {
    const names = root.lookupService(SERVICE).methodsArray.map(({ name }) => name);
    const serve = (name: string) => (call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => {
      const gone = new Promise<void>((resolve) => call.on('cancelled', () => resolve()));
      this.handle(name, call.request, call.metadata, gone, () => call.cancelled, 0).then(
        (response) => answer(null, response),
        (err: FakeError) => answer({ code: err.code, details: err.details, metadata: err.metadata() }),
      );
    };
    return Object.fromEntries(names.map((name) => [name, serve(name)]));
  }

  /** Runs a method's script. Rejects with a FakeError. */
  private async handle(
    method: string,
    request: object,
    metadata: Metadata,
    gone: Promise<void>,
    cancelled: () => boolean,
    inMessage: number,
  ): Promise<object> {
    this.calls.push({ method, request, metadata, inMessage, streamed: inMessage > 0 });
    const fake: FakeCall = {
      metadata,
      gone,
      nth: this.requests(method).length,
      get cancelled() {
        return cancelled();
      },
    };
    try {
      const handler = this.handlers.get(method);
      if (!handler) throw new FakeError(status.UNIMPLEMENTED, `${method} is not scripted`);
      return await handler(request as never, fake);
    } catch (err) {
      throw err instanceof FakeError ? err : new FakeError(status.INTERNAL, String((err as Error).stack));
    }
  }

  private addStream(server: Server): void {
    const definition = loadSync(CALLS_PROTO, { keepCase: false, defaults: true, arrays: true })[
      'perdure.v1.CallService'
    ] as ServiceDefinition;
    const methods = this.definition();
    server.addService(definition, {
      Open: (stream: ServerDuplexStream<{ calls: StreamedCall[]; cancelled: number[] }, object>) => {
        stream.sendMetadata(new Metadata());
        const leave = new Map<number, () => void>();
        const serve = async ({ id, method, request }: StreamedCall, inMessage: number) => {
          let isCancelled = false;
          const gone = new Promise<void>((resolve) => {
            leave.set(id, () => {
              isCancelled = true;
              resolve();
            });
          });
          const codec = methods[method]!;
          const decoded = codec.requestDeserialize(request);
          const reply = await this.handle(method, decoded, stream.metadata, gone, () => isCancelled, inMessage).then(
            (response) => ({ id, code: 0, response: codec.responseSerialize(response) }),
            (err: FakeError) => ({ id, code: err.code, message: err.details, details: err.metadata().get('grpc-status-details-bin')[0] }),
          );
          leave.delete(id);
          if (!isCancelled) stream.write({ replies: [reply] });
        };
        const leaveAll = () => {
          for (const go of leave.values()) go();
        };
        stream.on('data', ({ calls, cancelled }: { calls: StreamedCall[]; cancelled: number[] }) => {
          this.messages++;
          for (const call of calls) void serve(call, this.messages);
          for (const id of cancelled) leave.get(id)?.();
        });
        stream.on('end', () => {
          leaveAll();
          stream.end();
        });
        stream.on('cancelled', leaveAll);
        stream.on('error', leaveAll);
      },
    });
  }
}

/** An answer that never comes: what a long poll without work looks like, until the caller goes away. */
export const never = async (_request: unknown, call: FakeCall): Promise<object> => {
  await call.gone;
  return {};
};
