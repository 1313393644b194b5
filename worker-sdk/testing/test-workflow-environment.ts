/** A server, a connection and a client for the tests of workflows. */
import type { ClientOptions } from '../client/client.js';
import { Client } from '../client/client.js';
import type { temporal } from '../definitions/api.js';
import type { Duration } from '../definitions/duration.js';
import { msToNumber, msToTs, tsToMs } from '../definitions/duration.js';
import { Connection } from '../transport/connection.js';
import type { ConnectionOptions, ConnectionPlugin } from '../transport/connection-options.js';
import type { DevServer, DevServerConfig, TimeSkippingServerConfig } from './dev-server.js';
import { startDevServer, startTimeSkippingServer } from './dev-server.js';
import { TimeSkippingClient } from './time-skipping-client.js';

/** Options of the client that a {@link TestWorkflowEnvironment} has. */
export type ClientOptionsForTestEnv = Omit<ClientOptions, 'namespace' | 'connection'>;

/** Options of {@link TestWorkflowEnvironment.createLocal}. */
export interface LocalTestWorkflowEnvironmentOptions {
  /** How the engine is started. Default: empty, on any free port. */
  server?: DevServerConfig;
  /** Options of {@link TestWorkflowEnvironment.client}. */
  client?: ClientOptionsForTestEnv;
  /** Change the options of the connection and of the client. */
  plugins?: ConnectionPlugin[];
}

/** Options of {@link TestWorkflowEnvironment.createTimeSkipping}. */
export interface TimeSkippingTestWorkflowEnvironmentOptions {
  /** How the engine is started. Default: empty, on any free port, from the present on. */
  server?: TimeSkippingServerConfig;
  /** Options of {@link TestWorkflowEnvironment.client}. */
  client?: ClientOptionsForTestEnv;
  /** Change the options of the connection and of the client. */
  plugins?: ConnectionPlugin[];
}

/** How to be let in by a server that runs already. */
export type ExistingServerConnectionOptions = Pick<ConnectionOptions, 'apiKey' | 'metadata' | 'tls'>;

/** Options of {@link TestWorkflowEnvironment.createFromExistingServer}. */
export interface ExistingServerTestWorkflowEnvironmentOptions extends ConnectionOptions {
  /** Default `default`. */
  namespace?: string;
  /** Options of {@link TestWorkflowEnvironment.client}. */
  client?: ClientOptionsForTestEnv;
  /** The same as these options on this level. */
  connectionOptions?: ExistingServerConnectionOptions;
}

/** A Nexus endpoint that a test has made: its `id`, the `version` that a change must name, and all that the server said: `raw`. */
export interface NexusEndpointIdentifier {
  id: string;
  version: NonNullable<temporal.api.nexus.v1.IEndpoint['version']>;
  raw: temporal.api.nexus.v1.IEndpoint;
}

interface Parts {
  connection: Connection;
  /** The test's own. */
  server: DevServer | undefined;
  namespace: string;
  client: ClientOptionsForTestEnv;
  supportsTimeSkipping: boolean;
}

/** How long a development server may take to answer, on a busy machine too. */
const START_MS = 60_000;

/**
 * Runs workflows in tests on a real engine: {@link createTimeSkipping} for workflows that wait, {@link createLocal} for real time,
 * {@link createFromExistingServer} for a server that runs already.
 *
 * @example
 * const env = await TestWorkflowEnvironment.createTimeSkipping();
 * const worker = await Worker.create({ connection: env.nativeConnection, taskQueue: 'test', workflowsPath, activities });
 * // remindAfterAMonth sleeps 30 days: this takes milliseconds
 * await worker.runUntil(env.client.workflow.execute(remindAfterAMonth, { taskQueue: 'test', workflowId: 'remind', args: ['you'] }));
 * await env.teardown();
 */
export class TestWorkflowEnvironment {
  /** To the engine; closed by {@link teardown}. */
  readonly connection: Connection;
  /** For workers and clients alike. */
  readonly nativeConnection: Connection;
  /** In a time-skipping environment time is skipped while it waits for a workflow's result. */
  readonly client: Client;
  /** Of {@link client}; give it to workers too where it is not `default`. */
  readonly namespace: string;
  /** `host:port` of the server. */
  readonly address: string;
  /** Whether {@link sleep} skips time, and waiting for a result does. */
  readonly supportsTimeSkipping: boolean;
  private readonly server: DevServer | undefined;

  private constructor({ connection, server, namespace, client, supportsTimeSkipping }: Parts) {
    this.connection = connection;
    this.nativeConnection = connection;
    this.address = server?.address ?? connection.options.address;
    this.namespace = namespace;
    this.server = server;
    this.supportsTimeSkipping = supportsTimeSkipping;
    const options = { ...client, connection, namespace };
    this.client = supportsTimeSkipping ? new TimeSkippingClient(options) : new Client(options);
  }

  /** Starts an engine of the test's own, with real time, and connects to it. */
  static async createLocal({ server, client = {}, plugins }: LocalTestWorkflowEnvironmentOptions = {}): Promise<TestWorkflowEnvironment> {
    const own = await startDevServer(server);
    const connection = await connectTo(own, plugins);
    return new TestWorkflowEnvironment({ connection, server: own, namespace: server?.namespace ?? 'default', client, supportsTimeSkipping: false });
  }

  /**
   * Starts an engine of the test's own whose clock skips time, and connects to it. Time is real, except while a result is awaited through
   * {@link client} and during {@link sleep}: then the clock jumps from one timer, timeout or backoff to the next as long as no activity and no workflow
   * task is under way. It is the same for all workflows of the environment.
   */
  static async createTimeSkipping({ server, client = {}, plugins }: TimeSkippingTestWorkflowEnvironmentOptions = {}): Promise<TestWorkflowEnvironment> {
    const own = await startTimeSkippingServer(server);
    const connection = await connectTo(own, plugins);
    return new TestWorkflowEnvironment({ connection, server: own, namespace: 'default', client, supportsTimeSkipping: true });
  }

  /** Connects to a server that runs already; with real time. */
  static async createFromExistingServer(options: ExistingServerTestWorkflowEnvironmentOptions = {}): Promise<TestWorkflowEnvironment> {
    const { namespace = 'default', client = {}, connectionOptions, ...direct } = options;
    const connection = await Connection.connect({ ...direct, ...connectionOptions });
    return new TestWorkflowEnvironment({ connection, server: undefined, namespace, client, supportsTimeSkipping: false });
  }

  /** Closes the connection, and ends the server if it is the test's own. */
  async teardown(): Promise<void> {
    await this.connection.close();
    await this.server?.stop();
  }

  /**
   * Waits in the server's time: in a time-skipping environment for as long as it takes to do what is due meanwhile, else for real. May be called by an
   * activity that plays a slow one.
   *
   * @example
   * await env.sleep('3 days');
   * expect(await handle.query(remindersSent)).toBe(3);
   */
  sleep = async (duration: Duration): Promise<void> => {
    if (this.supportsTimeSkipping) await this.connection.testService.unlockTimeSkippingWithSleep({ duration: msToTs(duration) });
    else await new Promise((resolve) => setTimeout(resolve, msToNumber(duration)));
  };

  /** The server's time in milliseconds since the epoch: what has been skipped included. */
  async currentTimeMs(): Promise<number> {
    if (!this.supportsTimeSkipping) return Date.now();
    return tsToMs((await this.connection.testService.getCurrentTime({})).time);
  }

  /**
   * Makes a Nexus endpoint whose operations a task queue of the environment's namespace serves.
   * @throws GrpcError UNIMPLEMENTED on servers without Nexus.
   */
  async createNexusEndpoint(name: string, taskQueue: string): Promise<NexusEndpointIdentifier> {
    const spec = { name, target: { worker: { namespace: this.namespace, taskQueue } } };
    const { endpoint: raw } = await this.connection.operatorService.createNexusEndpoint({ spec });
    if (!raw?.id || !raw.version) throw new TypeError('The server answered without the endpoint that it has made');
    return { id: raw.id, version: raw.version, raw };
  }

  /** Deletes a Nexus endpoint. */
  async deleteNexusEndpoint({ id, version }: Pick<NexusEndpointIdentifier, 'id' | 'version'>): Promise<void> {
    await this.connection.operatorService.deleteNexusEndpoint({ id, version });
  }
}

/** Waits until the server answers, or is gone. */
async function connectTo(server: DevServer, plugins: ConnectionPlugin[] | undefined): Promise<Connection> {
  try {
    const ended = server.ended.then((reason) => Promise.reject(new Error(`The engine for the test is gone: ${reason}`)));
    const connection = await Promise.race([Connection.connect({ address: server.address, connectTimeout: START_MS, plugins }), ended]);
    ended.catch(() => undefined);
    return connection;
  } catch (err) {
    await server.stop();
    throw err;
  }
}
