/** The client: one object with a part for each thing that the server keeps. */
import type { WorkflowService } from '../transport/service.js';
import { AsyncCompletionClient } from './async-completion-client.js';
import type { BaseClientOptions, LoadedWithDefaults } from './base-client.js';
import { BaseClient } from './base-client.js';
import type { ClientInterceptors } from './interceptors.js';
import { ScheduleClient } from './schedule-client.js';
import type { QueryRejectCondition } from './types.js';
import { WorkflowClient } from './workflow-client.js';

/** Options of a {@link Client}. */
export interface ClientOptions extends BaseClientOptions {
  /** Hooks around calls, for example to add headers or tracing. */
  interceptors?: ClientInterceptors;
  /** Change the options of this client. Plugins of the connection that are client plugins too come first. */
  plugins?: ClientPlugin[];
  /** For the client's part for workflows alone. */
  workflow?: {
    /** When queries are refused. Default: never. */
    queryRejectCondition?: QueryRejectCondition;
  };
}

/** {@link ClientOptions} with defaults filled in. */
export type LoadedClientOptions = LoadedWithDefaults<ClientOptions>;

/** Hooks that configure clients. */
export interface ClientPlugin {
  /** For people. */
  get name(): string;
  /** Changes the options of a client. */
  configureClient?(options: Omit<ClientOptions, 'plugins'>): Omit<ClientOptions, 'plugins'>;
}

/**
 * Talks to the server: starts workflows, signals, queries and updates them, completes activities.
 *
 * @example
 * const client = new Client({ connection: await Connection.connect() });
 * const handle = await client.workflow.start(greet, { taskQueue: 'hello', workflowId: 'greet-1', args: ['world'] });
 * console.log(await handle.result());
 */
export class Client extends BaseClient {
  /** As given and changed by plugins, with defaults. */
  readonly options: LoadedClientOptions;
  /** Start workflows and talk to them. */
  readonly workflow: WorkflowClient;
  /** Complete activities from outside of their worker. */
  readonly activity: AsyncCompletionClient;
  /** Make schedules and change them. */
  readonly schedule: ScheduleClient;

  constructor(options: ClientOptions = {}) {
    const plugins = [...((options.connection?.plugins ?? []) as Partial<ClientPlugin>[]), ...(options.plugins ?? [])];
    for (const plugin of plugins) options = plugin.configureClient?.(options) ?? options;
    super(options);
    const { interceptors = {}, workflow = {} } = options;
    const base = this.baseOptions();
    this.options = { ...base, dataConverter: options.dataConverter ?? {}, interceptors, workflow, plugins: options.plugins ?? [] };
    this.workflow = new WorkflowClient({
      ...base,
      interceptors: interceptors.workflow,
      queryRejectCondition: workflow.queryRejectCondition,
    });
    this.activity = new AsyncCompletionClient(base);
    this.schedule = new ScheduleClient({ ...base, interceptors: interceptors.schedule });
  }

  /** All RPCs of the open workflow API. The namespace is not filled in here. */
  override get workflowService(): WorkflowService {
    return this.connection.workflowService;
  }
}
