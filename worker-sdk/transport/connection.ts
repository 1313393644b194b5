/** A connection to the server: made once, shared by clients and workers. */
import { createRequire } from 'node:module';
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import { IllegalStateError } from '../definitions/errors.js';
import type { CallContext } from './call-context.js';
import { CallContexts } from './call-context.js';
import type { Channel, Metadata } from './channel.js';
import type { ConnectionOptions, ConnectionOptionsWithDefaults, ConnectionPlugin } from './connection-options.js';
import { makeChannel, withDefaults } from './connection-options.js';
import { EagerStarts } from './eager-starts.js';
import { GrpcError } from './grpc-error.js';
import { RETRY_WHILE_STARTING } from './retry.js';
import type { RpcEnvironment } from './rpc.js';
import type { HealthService, OperatorService, TestService, WorkflowService } from './service.js';
import { makeCall, makeService } from './service.js';

/** Name and version that servers see, and tools show, of this SDK. */
const CLIENT_NAME = 'perdure-typescript';
const SDK_VERSION: string = createRequire(import.meta.url)('@perdure/sdk/package.json').version;

const WORKFLOW_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';

type SystemInfo = temporal.api.workflowservice.v1.IGetSystemInfoResponse;

/** What a client needs of a connection. */
export interface ConnectionLike {
  /** All RPCs of the open workflow API. The namespace is not filled in here. */
  readonly workflowService: WorkflowService;
  /** Administration: search attributes, namespaces, clusters. */
  readonly operatorService: OperatorService;
  /** Passed on to the clients and workers that use it. */
  readonly plugins: ConnectionPlugin[];
  /** Calls under way end with CANCELLED. */
  close(): Promise<void>;
  /** Waits until the server answers, once for all callers. */
  ensureConnected(): Promise<void>;
  /** Calls made within `fn` end at `deadline` (Date, or milliseconds since the epoch) with DEADLINE_EXCEEDED. */
  withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R>;
  /** Calls made within `fn` carry `metadata` too. */
  withMetadata<R>(metadata: Metadata, fn: () => Promise<R>): Promise<R>;
  /** Calls made within `fn` end with CANCELLED when `abortSignal` aborts. */
  withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R>;
}

/**
 * A connection to the server. Expensive to make and cheap to share: make one, hand it to all clients and workers, and
 * {@link close} it at the end. It connects again by itself whenever the server comes back.
 *
 * @example
 * const connection = await Connection.connect({ address: 'localhost:7233' });
 * const client = new Client({ connection });
 */
export class Connection implements ConnectionLike {
  /** As given and changed by plugins, with defaults. */
  readonly options: ConnectionOptionsWithDefaults;
  /** Passed on to the clients and workers that use it. */
  readonly plugins: ConnectionPlugin[];
  /** All RPCs of the open workflow API. The namespace is not filled in here. */
  readonly workflowService: WorkflowService;
  /** Administration: search attributes, namespaces, clusters. */
  readonly operatorService: OperatorService;
  /** Time control, on servers in test mode. */
  readonly testService: TestService;
  /** The standard gRPC health service. */
  readonly healthService: HealthService;
  /** @internal Where workers of this connection take the first tasks of workflows that its clients start. */
  readonly eagerStarts: EagerStarts = new EagerStarts();
  /** @internal */
  readonly rpc: RpcEnvironment;

  private readonly channel: Channel;
  private readonly contexts = new CallContexts();
  private staticMetadata: Metadata;
  private apiKey: string | (() => string) | undefined;
  private connectPromise: Promise<void> | undefined;
  private info: SystemInfo | undefined;
  private readonly users = new Set<object>();

  protected constructor(options: ConnectionOptions) {
    this.options = withDefaults(options);
    this.plugins = this.options.plugins;
    this.apiKey = options.apiKey;
    this.staticMetadata = this.buildMetadata(this.options.metadata);
    this.channel = makeChannel(options, this.options);
    this.rpc = { channel: this.channel, metadata: () => this.currentMetadata(), retry: this.options.retry };
    this.workflowService = makeService(WORKFLOW_SERVICE, this.rpc, this.contexts);
    this.operatorService = makeService('temporal.api.operatorservice.v1.OperatorService', this.rpc, this.contexts);
    this.testService = makeService('temporal.api.testservice.v1.TestService', this.rpc, this.contexts);
    this.healthService = makeService('grpc.health.v1.Health', this.rpc, this.contexts);
  }

  /** Makes a connection without talking to the server: the first call does. */
  static lazy(options: ConnectionOptions = {}): Connection {
    for (const plugin of options.plugins ?? []) options = plugin.configureConnection?.(options) ?? options;
    return new Connection(options);
  }

  /**
   * Makes a connection and waits, up to {@link ConnectionOptions.connectTimeout}, for the server to answer.
   * @throws Error when it does not; GrpcError when it answers with something other than "not ready yet".
   */
  static async connect(options: ConnectionOptions = {}): Promise<Connection> {
    const connection = Connection.lazy(options);
    try {
      await connection.ensureConnected();
    } catch (err) {
      await connection.close();
      throw err;
    }
    return connection;
  }

  /** Waits until the server answers, once for all callers. */
  ensureConnected(): Promise<void> {
    this.connectPromise ??= this.waitForServer().catch((err) => {
      this.connectPromise = undefined;
      throw err;
    });
    return this.connectPromise;
  }

  /** What the server can do; known once connected. */
  get systemInfo(): SystemInfo | undefined {
    return this.info;
  }

  /** @internal Whether calls share one stream at the moment. */
  get sharesStream(): boolean {
    return this.channel.sharesStream;
  }

  /** Calls made within `fn` end at `deadline` (Date, or milliseconds since the epoch) with DEADLINE_EXCEEDED. */
  withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return this.withContext({ deadline }, fn);
  }

  /** Calls made within `fn` end with CANCELLED when `abortSignal` aborts. */
  withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return this.withContext({ abortSignal }, fn);
  }

  /** Calls made within `fn` carry `metadata` too. */
  withMetadata<R>(metadata: Metadata, fn: () => Promise<R>): Promise<R> {
    return this.withContext({ metadata }, fn);
  }

  /** Calls made within `fn` use another API key. */
  withApiKey<R>(apiKey: string, fn: () => Promise<R>): Promise<R> {
    return this.withContext({ metadata: { authorization: `Bearer ${apiKey}` } }, fn);
  }

  /** Replaces the API key of all calls from now on. */
  setApiKey(apiKey: string | (() => string)): void {
    if ('authorization' in this.options.metadata) throw new TypeError("Cannot set 'apiKey' when metadata 'authorization' is set");
    this.apiKey = apiKey;
  }

  /** Replaces the metadata of all calls from now on. */
  async setMetadata(metadata: Metadata): Promise<void> {
    this.staticMetadata = this.buildMetadata(metadata);
  }

  /**
   * Closes the connection; calls under way end with CANCELLED.
   * @throws {@link IllegalStateError} while a worker uses it.
   */
  async close(): Promise<void> {
    if (this.users.size > 0) throw new IllegalStateError('Cannot close the connection: a worker still uses it; await its run() first');
    this.channel.close();
  }

  /** @internal Keeps the connection from being closed until the answer is called. */
  hold(user: object): () => void {
    this.users.add(user);
    return () => this.users.delete(user);
  }

  private withContext<R>(context: CallContext, fn: () => Promise<R>): Promise<R> {
    return this.contexts.run(context, fn);
  }

  private async waitForServer(): Promise<void> {
    const { connectTimeoutMs, address } = this.options;
    const getSystemInfo = makeCall<object, SystemInfo>(WORKFLOW_SERVICE, 'GetSystemInfo', this.rpc, RETRY_WHILE_STARTING);
    try {
      this.info = await getSystemInfo({}, { deadline: Date.now() + connectTimeoutMs });
    } catch (err) {
      if (!(err instanceof GrpcError)) throw err;
      // Servers older than this RPC.
      if (err.code === status.UNIMPLEMENTED) return;
      const gaveUp = err.code === status.DEADLINE_EXCEEDED || err.code === status.UNAVAILABLE;
      throw gaveUp ? new Error(`Failed to connect to ${address} within ${connectTimeoutMs} ms: ${err.details}`, { cause: err }) : err;
    }
  }

  private buildMetadata(metadata: Metadata): Metadata {
    return { 'client-name': CLIENT_NAME, 'client-version': SDK_VERSION, 'user-agent': `perdure-sdk/${SDK_VERSION}`, ...metadata };
  }

  private currentMetadata(): Metadata {
    if (this.apiKey === undefined) return this.staticMetadata;
    const authorization = `Bearer ${typeof this.apiKey === 'function' ? this.apiKey() : this.apiKey}`;
    if (this.staticMetadata.authorization !== authorization) this.staticMetadata = { ...this.staticMetadata, authorization };
    return this.staticMetadata;
  }
}

/** The field's other name for a connection, which its workers ask for. Here they are the same thing. */
export const NativeConnection: typeof Connection = Connection;
export type NativeConnection = Connection;
