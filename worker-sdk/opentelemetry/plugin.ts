/** All of tracing in one plugin. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Context } from '../activity/context.js';
import type { ClientOptions, ClientPlugin } from '../client/client.js';
import type { ClientInterceptors } from '../client/interceptors.js';
import type { BundleOptions, BundlerPlugin } from '../worker/bundle.js';
import type { WorkerInterceptors } from '../worker/interceptors.js';
import type { WorkerPlugin } from '../worker/plugin.js';
import type { ReplayWorkerOptions, WorkerOptions } from '../worker/worker-options.js';
import { OpenTelemetryActivityInboundInterceptor, OpenTelemetryActivityOutboundInterceptor } from './activity.js';
import { OpenTelemetryWorkflowClientInterceptor } from './client.js';
import { makeWorkflowExporter, type WorkflowSpanExporter, type WorkflowSpanProcessor } from './exporter.js';
import type { InterceptorOptions } from './instrument.js';

/** Options of {@link OpenTelemetryPlugin}. */
export interface OpenTelemetryPluginOptions<Resource> extends InterceptorOptions {
  /** What spans of workflows belong to: the resource of the tracer provider. */
  readonly resource: Resource;
  /** Takes the spans of workflows: the span processor of the tracer provider, or an exporter. */
  readonly spanProcessor: WorkflowSpanProcessor<Resource> | WorkflowSpanExporter<Resource>;
}

const base = fileURLToPath(new URL('./workflow/interceptors', import.meta.url));

/** The module for `WorkerOptions.interceptors.workflowModules` that traces workflows. */
export const workflowInterceptorsPath: string = existsSync(`${base}.js`) ? `${base}.js` : `${base}.ts`;

/**
 * Traces clients, workflows and activities. Give it to clients, to workers, and to the bundler where workflows are bundled ahead of time.
 *
 * @example
 * const plugin = new OpenTelemetryPlugin({ resource, spanProcessor: new BatchSpanProcessor(exporter) });
 * const client = new Client({ plugins: [plugin] });
 * const worker = await Worker.create({ taskQueue: 'orders', workflowsPath, activities, plugins: [plugin] });
 */
export class OpenTelemetryPlugin<Resource> implements ClientPlugin, WorkerPlugin, BundlerPlugin {
  /** Shown in the server's list of workers. */
  readonly name = 'OpenTelemetryPlugin';

  constructor(
    /** As given. */
    readonly otelOptions: OpenTelemetryPluginOptions<Resource>,
  ) {}

  configureClient(options: Omit<ClientOptions, 'plugins'>): Omit<ClientOptions, 'plugins'> {
    return { ...options, interceptors: this.clientInterceptors(options.interceptors) };
  }

  configureWorker(options: WorkerOptions): WorkerOptions {
    return { ...options, interceptors: this.workerInterceptors(options.interceptors), sinks: this.sinks(options.sinks) };
  }

  configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions {
    return { ...options, interceptors: this.workerInterceptors(options.interceptors), sinks: this.sinks(options.sinks) };
  }

  configureBundler(options: BundleOptions): BundleOptions {
    const modules = options.workflowInterceptorModules ?? [];
    return { ...options, workflowInterceptorModules: withModule(modules) };
  }

  private clientInterceptors(given: ClientInterceptors = {}): ClientInterceptors {
    return { ...given, workflow: [new OpenTelemetryWorkflowClientInterceptor(this.otelOptions), ...(given.workflow ?? [])] };
  }

  private workerInterceptors(given: WorkerInterceptors = {}): WorkerInterceptors {
    const traceActivity = (ctx: Context) => ({
      inbound: new OpenTelemetryActivityInboundInterceptor(ctx, this.otelOptions),
      outbound: new OpenTelemetryActivityOutboundInterceptor(ctx),
    });
    return {
      client: this.clientInterceptors(given.client),
      activity: [traceActivity, ...(given.activity ?? [])],
      workflowModules: withModule(given.workflowModules ?? []),
    };
  }

  private sinks(given: WorkerOptions['sinks']): WorkerOptions['sinks'] {
    return { ...given, exporter: makeWorkflowExporter(this.otelOptions.spanProcessor, this.otelOptions.resource) };
  }
}

/** First, so that what other interceptors do is traced too. */
function withModule(modules: readonly string[]): string[] {
  return modules.includes(workflowInterceptorsPath) ? [...modules] : [workflowInterceptorsPath, ...modules];
}
