/** A server, a connection and a client for the tests of workflows. */
import type { ClientOptions } from '../client/client.js';
import { Client } from '../client/client.js';
import type { Duration } from '../definitions/duration.js';
import { msToNumber } from '../definitions/duration.js';
import { Connection } from '../transport/connection.js';
import type { ConnectionOptions } from '../transport/connection-options.js';
import type { DevServer, DevServerConfig } from './dev-server.js';
import { startDevServer } from './dev-server.js';

/** Options of the client that a {@link TestWorkflowEnvironment} has. */
export type ClientOptionsForTestEnv = Omit<ClientOptions, 'namespace' | 'connection'>;

/** Options of {@link TestWorkflowEnvironment.createLocal}. */
export interface LocalTestWorkflowEnvironmentOptions {
  server?: DevServerConfig;
  client?: ClientOptionsForTestEnv;
}

/** Options of {@link TestWorkflowEnvironment.createFromExistingServer}. */
export interface ExistingServerTestWorkflowEnvironmentOptions extends ConnectionOptions {
  /** Default `default`. */
  namespace?: string;
  client?: ClientOptionsForTestEnv;
}

/** How long a development server may take to answer, on a busy machine too. */
const START_MS = 60_000;

/**
 * Runs workflows in tests on a real engine.
 *
 * @example
 * const env = await TestWorkflowEnvironment.createLocal();
 * const worker = await Worker.create({ connection: env.nativeConnection, taskQueue: 'test', workflowsPath, activities });
 * const result = await worker.runUntil(env.client.workflow.execute(greet, { taskQueue: 'test', workflowId: 'greet', args: ['you'] }));
 * await env.teardown();
 */
export class TestWorkflowEnvironment {
  /** For workers and clients alike. */
  readonly nativeConnection: Connection;
  readonly client: Client;

  private constructor(
    readonly connection: Connection,
    readonly address: string,
    readonly namespace: string,
    client: ClientOptionsForTestEnv,
    private readonly server: DevServer | undefined,
  ) {
    this.nativeConnection = connection;
    this.client = new Client({ ...client, connection, namespace });
  }

  /** Starts an engine of the test's own, with real time, and connects to it. */
  static async createLocal(options: LocalTestWorkflowEnvironmentOptions = {}): Promise<TestWorkflowEnvironment> {
    const server = await startDevServer(options.server);
    try {
      const ended = server.ended.then((reason) => Promise.reject(new Error(`The engine for the test is gone: ${reason}`)));
      const connection = await Promise.race([Connection.connect({ address: server.address, connectTimeout: START_MS }), ended]);
      ended.catch(() => undefined);
      return new TestWorkflowEnvironment(connection, server.address, options.server?.namespace ?? 'default', options.client ?? {}, server);
    } catch (err) {
      await server.stop();
      throw err;
    }
  }

  /** Connects to a server that runs already. */
  static async createFromExistingServer(options: ExistingServerTestWorkflowEnvironmentOptions = {}): Promise<TestWorkflowEnvironment> {
    const { namespace = 'default', client = {}, ...connectionOptions } = options;
    const connection = await Connection.connect(connectionOptions);
    return new TestWorkflowEnvironment(connection, connection.options.address, namespace, client, undefined);
  }

  /** Closes the connection, and ends the server if it is the test's own. */
  async teardown(): Promise<void> {
    await this.connection.close();
    await this.server?.stop();
  }

  /** Waits. */
  async sleep(duration: Duration): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, msToNumber(duration)));
  }

  /** The server's time, milliseconds since the epoch. */
  async currentTimeMs(): Promise<number> {
    return Date.now();
  }
}
