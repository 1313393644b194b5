/** A WorkflowService on a real gRPC server whose answers a test scripts: for failures that a healthy engine never shows. */
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import proto, { type temporal } from '@temporalio/proto';
import type { Root, Type } from 'protobufjs';
import { until } from './until.js';

const root = proto as unknown as Root;
const SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';

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

/** A call that reached the server. */
export interface SeenCall {
  method: string;
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

  constructor(private readonly credentials: ServerCredentials = ServerCredentials.createInsecure()) {
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
    return Object.fromEntries(
      names.map((name) => [
        name,
        (call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => {
          this.calls.push({ method: name, request: call.request, metadata: call.metadata });
          const gone = new Promise<void>((resolve) => call.on('cancelled', () => resolve()));
          const seen = this.requests(name).length;
          const fake: FakeCall = {
            metadata: call.metadata,
            get cancelled() {
              return call.cancelled;
            },
            gone,
            nth: seen,
          };
          const handler = this.handlers.get(name);
          const run = async () => {
            if (!handler) throw new FakeError(status.UNIMPLEMENTED, `${name} is not scripted`);
            return handler(call.request as never, fake);
          };
          run().then(
            (response) => answer(null, response),
            (err: Error) =>
              answer(
                err instanceof FakeError
                  ? { code: err.code, details: err.details, metadata: err.metadata() }
                  : { code: status.INTERNAL, details: String(err.stack) },
              ),
          );
        },
      ]),
    );
  }
}

/** An answer that never comes: what a long poll without work looks like, until the caller goes away. */
export const never = async (_request: unknown, call: FakeCall): Promise<object> => {
  await call.gone;
  return {};
};
