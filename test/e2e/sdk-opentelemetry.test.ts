/** Traces: whole ones, of our client and worker and of mixed ones, without a span twice, and without any effect on what workflows do. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as officialClient from '@temporalio/client';
import * as officialTracing from '@temporalio/interceptors-opentelemetry';
import * as officialWorker from '@temporalio/worker';
import { SpanStatusCode } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Context } from '../../worker-sdk/activity/index.js';
import { ApplicationFailure, defaultPayloadConverter, type MetricTags } from '../../worker-sdk/index.js';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { OpenTelemetryPlugin, openTelemetryMetricMeter } from '../../worker-sdk/opentelemetry/index.js';
import {
  type ActivityInboundCallsInterceptor,
  bundleWorkflowCode,
  DefaultLogger,
  type LogEntry,
  Runtime,
  Worker,
  type WorkerOptions,
} from '../../worker-sdk/worker/index.js';
import { type EngineServer, startEngineServer } from '../transport/engine-server.js';
import { exporter, installTracing, inTrace, pathsOf, resource, spanProcessor } from './opentelemetry/traces.js';

const workflowsPath = fileURLToPath(new URL('./opentelemetry/workflows.ts', import.meta.url));
const plugin = new OpenTelemetryPlugin({ resource, spanProcessor });
const activities = {
  greet: async (name: string) => `hello ${name}`,
  shout: async (text: string) => text.toUpperCase(),
  slow: (ms: number) => pause(ms, 'slow'),
  rest: (ms: number) => pause(ms, 'rested'),
  fail: async () => {
    throw ApplicationFailure.nonRetryable('no');
  },
};
const logs: LogEntry[] = [];

const metricReader = new (class extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
})();

let engine: EngineServer | undefined;
let address: string;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  officialWorker.Runtime.install({ logger: new officialWorker.DefaultLogger('ERROR') });
  const metricMeter = openTelemetryMetricMeter(new MeterProvider({ readers: [metricReader] }).getMeter('worker'));
  Runtime.install({ logger: new DefaultLogger('DEBUG', (entry) => logs.push(entry)), metricMeter });
  installTracing();
  engine = process.env.PERDURE_ADDRESS ? undefined : await startEngineServer();
  address = process.env.PERDURE_ADDRESS ?? engine!.address;
  connection = await Connection.connect({ address });
  client = new Client({ connection, plugins: [plugin] });
});
afterAll(async () => {
  await connection?.close();
  await engine?.stop();
  expect(engine?.errors ?? []).toEqual([]);
});
beforeEach(() => exporter.reset());

async function withWorker<T>(use: (taskQueue: string) => Promise<T>, options: Partial<WorkerOptions> = {}): Promise<T> {
  const taskQueue = `traces-${randomUUID()}`;
  const worker = await Worker.create({ connection, taskQueue, workflowsPath, activities, plugins: [plugin], ...options });
  return worker.runUntil(() => use(taskQueue));
}

const official = new officialTracing.OpenTelemetryPlugin({ resource, spanProcessor } as never);

async function withOfficialWorker<T>(use: (taskQueue: string) => Promise<T>): Promise<T> {
  const taskQueue = `traces-${randomUUID()}`;
  const native = await officialWorker.NativeConnection.connect({ address });
  const alias = { '@perdure/sdk/workflow': '@temporalio/workflow' };
  const worker = await officialWorker.Worker.create({
    ...{ connection: native, taskQueue, workflowsPath, plugins: [official] },
    activities: { ...activities, fail: async () => undefined },
    bundlerOptions: {
      webpackConfigHook: (config) => {
        config.resolve = { ...config.resolve, alias: { ...config.resolve?.alias, ...alias } };
        return config;
      },
    },
  });
  const result = await worker.runUntil(use(taskQueue));
  await native.close();
  return result;
}

const ids = (taskQueue: string) => ({ taskQueue, workflowId: `w-${randomUUID()}` });

/** Everything that a client and a workflow do, once. */
async function story(taskQueue: string, with_: Client = client): Promise<string> {
  const { traceId } = await inTrace(async () => {
    const { workflowId } = ids(taskQueue);
    const handle = await with_.workflow.start('everything', { taskQueue, workflowId, args: ['you'] });
    expect(await handle.executeUpdate('rename', { args: ['me'], updateId: 'u' })).toBe('hello me');
    expect(await handle.query('state')).toBe('waiting');
    await handle.signal('go');
    expect(await handle.result()).toEqual(['hello you', 'ME', 'hello me']);
  });
  return traceId;
}

const RUN = 'RunWorkflow:everything < StartWorkflow:everything < test';
const UPDATE = 'StartWorkflowUpdate:rename < test';
const CHILD = `RunWorkflow:child < StartChildWorkflow:child < ${RUN}`;
const WHOLE = [
  'HandleQuery:state < QueryWorkflow:state < test',
  'HandleSignal:go < SignalWorkflow:go < test',
  `HandleUpdate:rename < ${UPDATE}`,
  'QueryWorkflow:state < test',
  `RunActivity:greet < StartActivity:greet < HandleUpdate:rename < ${UPDATE}`,
  `RunActivity:greet < StartActivity:greet < ${CHILD}`,
  `RunActivity:greet < StartActivity:greet < ${RUN}`,
  `RunActivity:shout < StartActivity:shout < own work < ${RUN}`,
  CHILD,
  RUN,
  `SignalWorkflow:go < ${RUN}`,
  'SignalWorkflow:go < test',
  `StartActivity:greet < HandleUpdate:rename < ${UPDATE}`,
  `StartActivity:greet < ${CHILD}`,
  `StartActivity:greet < ${RUN}`,
  `StartActivity:shout < own work < ${RUN}`,
  `StartChildWorkflow:child < ${RUN}`,
  'StartWorkflow:everything < test',
  UPDATE,
  `ValidateUpdate:rename < ${UPDATE}`,
  `own work < ${RUN}`,
  'test',
];

test('a trace of everything', async () => {
  const traceId = await withWorker((taskQueue) => story(taskQueue));
  expect(pathsOf(traceId)).toEqual(WHOLE);
  const run = exporter.getFinishedSpans().find(({ name }) => name === 'RunWorkflow:everything')!;
  expect(run.attributes).toMatchObject({
    workflowType: 'everything',
    namespace: 'default',
    temporalWorkflowId: expect.stringMatching(/^w-/),
    run_id: run.attributes.runId,
  });
  expect(run.status.code).toBe(SpanStatusCode.OK);
  const activity = exporter.getFinishedSpans().find(({ name }) => name === 'RunActivity:shout')!;
  expect(activity.attributes).toMatchObject({
    temporalActivityId: expect.any(String),
    temporalWorkflowId: run.attributes.workflowId,
    run_id: run.attributes.runId,
  });
  const started = exporter.getFinishedSpans().find(({ name }) => name === 'StartWorkflow:everything')!;
  expect(started.attributes).toEqual({ temporalWorkflowId: run.attributes.workflowId, run_id: run.attributes.runId });
});

test('no span twice, and the same parents, where every task is replayed from the beginning', async () => {
  const traceId = await withWorker((taskQueue) => story(taskQueue), { maxCachedWorkflows: 0 });
  expect(pathsOf(traceId)).toEqual(WHOLE);
});

test('a trace through an official worker, begun by our client, and the other way round', async () => {
  const withOurClient = await withOfficialWorker((taskQueue) => story(taskQueue));
  expect(pathsOf(withOurClient)).toEqual(WHOLE);

  exporter.reset();
  const officialConnection = await officialClient.Connection.connect({ address });
  const tracing = new officialClient.Client({ connection: officialConnection, plugins: [official] }) as unknown as Client;
  const withOurWorker = await withWorker((queue) => story(queue, tracing));
  await officialConnection.close();
  expect(pathsOf(withOurWorker)).toEqual(WHOLE);
});

test('failures are errors of the spans that they pass through', async () => {
  await withWorker(async (taskQueue) => {
    await expect(inTrace(() => client.workflow.execute('failing', ids(taskQueue)))).rejects.toThrow('Workflow execution failed');
  });
  const spans = exporter.getFinishedSpans();
  const of = (name: string) => spans.find((span) => span.name === name)!;
  expect(of('RunActivity:fail').status).toEqual({ code: SpanStatusCode.ERROR, message: 'no' });
  expect(of('StartActivity:fail').status).toEqual({ code: SpanStatusCode.ERROR, message: 'Activity task failed' });
  expect(of('RunWorkflow:failing').status.code).toBe(SpanStatusCode.ERROR);
  expect(of('RunWorkflow:failing').events[0]).toMatchObject({ name: 'exception', attributes: { 'exception.type': 'ActivityFailure' } });
});

test('a rejected update and a run that continues as new', async () => {
  const { traceId } = await withWorker((taskQueue) =>
    inTrace(async () => {
      expect(await client.workflow.execute('twice', { ...ids(taskQueue), args: [0] })).toBe(2);
      const handle = await client.workflow.start('everything', { ...ids(taskQueue), args: ['you'] });
      await expect(handle.executeUpdate('rename', { args: [''] })).rejects.toThrow();
      await handle.terminate('enough');
    }),
  );
  const first = 'RunWorkflow:twice < StartWorkflow:twice < test';
  const second = `RunWorkflow:twice < ContinueAsNew:twice < ${first}`;
  const paths = pathsOf(traceId);
  expect(paths).toEqual(
    expect.arrayContaining([first, second, `RunWorkflow:twice < ContinueAsNew:twice < ${second}`, 'TerminateWorkflow < test']),
  );
  expect(paths).toContain('ValidateUpdate:rename < StartWorkflowUpdate:rename < test');
  expect(exporter.getFinishedSpans().find(({ name }) => name === 'ContinueAsNew:twice')!.status.code).toBe(SpanStatusCode.OK);
});

test('what is logged names its span', async () => {
  logs.length = 0;
  const taskQueue = `traces-${randomUUID()}`;
  const noting = {
    ...activities,
    greet: async (name: string) => {
      Context.current().log.info('greeting');
      return `hello ${name}`;
    },
  };
  const worker = await Worker.create({ connection, taskQueue, workflowsPath, activities: noting, plugins: [plugin] });
  const { traceId } = await inTrace(() => worker.runUntil(client.workflow.execute('child', { ...ids(taskQueue), args: ['you'] })));
  const span = exporter
    .getFinishedSpans()
    .find(({ name }) => name === 'RunActivity:greet')!
    .spanContext();
  expect(logs.find(({ message }) => message === 'greeting')?.meta).toMatchObject({
    trace_id: traceId,
    span_id: span.spanId,
    trace_flags: '01',
  });
});

test('tracing changes neither the order of things nor what is drawn at random', async () => {
  const plain = new Client({ connection });
  const histories = await Promise.all(
    [[plugin], []].map((plugins) =>
      withWorker(
        async (taskQueue) => {
          const runs = await Promise.all(['order', 'narrow', 'randomness'].map((type) => plain.workflow.start(type, ids(taskQueue))));
          await Promise.all(runs.map((handle) => handle.result()));
          return Promise.all(
            runs.map(async (handle) => ({
              workflowId: handle.workflowId,
              history: await handle.fetchHistory(),
              result: await handle.result(),
            })),
          );
        },
        { plugins },
      ),
    ),
  );
  // Recorded with tracing, replayed without, and the other way round: the same commands, and the same results.
  for (const [recorded, plugins] of [
    [histories[0]!, []],
    [histories[1]!, [plugin]],
  ] as const) {
    for await (const { error, workflowId } of Worker.runReplayHistories({ workflowsPath, plugins: [...plugins] }, recorded))
      expect(error, workflowId).toBeUndefined();
  }
});

test('runs that an official worker traced go on here in the order that they had there', async () => {
  const plain = new Client({ connection });
  const histories = await withOfficialWorker(async (taskQueue) => {
    const runs = await Promise.all(Array.from({ length: 6 }, () => plain.workflow.start('narrow', ids(taskQueue))));
    await Promise.all(runs.map((handle) => handle.result()));
    return Promise.all(runs.map(async (handle) => ({ workflowId: handle.workflowId, history: await handle.fetchHistory() })));
  });
  for await (const { error, workflowId } of Worker.runReplayHistories({ workflowsPath, plugins: [plugin] }, histories))
    expect(error, workflowId).toBeUndefined();
});

test('workflows that are bundled ahead of time', async () => {
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, plugins: [plugin] });
  const { traceId } = await withWorker(
    (taskQueue) => inTrace(() => client.workflow.execute('child', { ...ids(taskQueue), args: ['you'] })),
    { workflowsPath: undefined, workflowBundle },
  );
  expect(pathsOf(traceId)).toContain('RunActivity:greet < StartActivity:greet < RunWorkflow:child < StartWorkflow:child < test');
});

test('a trace that its beginner does not record is passed on and recorded nowhere', async () => {
  const carrier = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' };
  const seen: string[] = [];
  const headers = { '_tracer-data': defaultPayloadConverter.toPayload(carrier)! };
  const unsampled = new Client({
    connection,
    interceptors: { workflow: [{ startWithDetails: (input, next) => next({ ...input, headers }) }] },
  });
  const noting = (): { inbound: ActivityInboundCallsInterceptor } => ({
    inbound: {
      execute: (input, next) => {
        seen.push((defaultPayloadConverter.fromPayload(input.headers['_tracer-data']!) as typeof carrier).traceparent);
        return next(input);
      },
    },
  });
  await withWorker((taskQueue) => unsampled.workflow.execute('child', { ...ids(taskQueue), args: ['you'] }), {
    interceptors: { activity: [noting] },
  });
  expect(seen).toEqual([carrier.traceparent]);
  expect(exporter.getFinishedSpans().filter(({ name }) => name.includes('Workflow'))).toEqual([]);
});

/** Names and labels that dashboards of the field are built on. */
const METRICS: Record<string, string[]> = {
  temporal_worker_start: [],
  temporal_workflow_completed: ['workflow_type'],
  temporal_workflow_continue_as_new: ['workflow_type'],
  temporal_workflow_failed: ['workflow_type'],
  temporal_workflow_endtoend_latency: ['workflow_type'],
  temporal_workflow_task_queue_poll_succeed: [],
  temporal_workflow_task_schedule_to_start_latency: ['workflow_type'],
  temporal_workflow_task_execution_latency: ['workflow_type'],
  temporal_workflow_task_replay_latency: ['workflow_type'],
  temporal_activity_task_received: ['activity_type', 'workflow_type', 'eager'],
  temporal_activity_schedule_to_start_latency: ['activity_type', 'workflow_type'],
  temporal_activity_execution_latency: ['activity_type', 'workflow_type'],
  temporal_activity_execution_failed: ['activity_type', 'workflow_type', 'failure_reason'],
  temporal_activity_succeed_endtoend_latency: ['activity_type', 'workflow_type'],
  temporal_local_activity_total: ['activity_type', 'workflow_type'],
  temporal_local_activity_execution_latency: ['activity_type', 'workflow_type'],
  temporal_local_activity_succeed_endtoend_latency: ['activity_type', 'workflow_type'],
  temporal_num_pollers: ['poller_type'],
  temporal_worker_task_slots_available: ['worker_type'],
  temporal_worker_task_slots_used: ['worker_type'],
  temporal_sticky_cache_hit: [],
  temporal_sticky_cache_size: [],
  temporal_request: ['operation'],
  temporal_request_latency: ['operation'],
  temporal_long_request: ['operation'],
  temporal_long_request_latency: ['operation'],
};

test('metrics under the field’s names, through OpenTelemetry’s own SDK', async () => {
  const tagging = () => ({
    outbound: { getMetricTags: (tags: MetricTags, next: (tags: MetricTags) => MetricTags) => next({ ...tags, shop: 'north' }) },
  });
  const counting = {
    ...activities,
    greet: async (name: string) => {
      Context.current().metricMeter.createCounter('greetings').add(1);
      return name;
    },
  };
  await withWorker(
    async (taskQueue) => {
      await client.workflow.execute('order', ids(taskQueue));
      await client.workflow.execute('twice', { ...ids(taskQueue), args: [1] });
      await expect(client.workflow.execute('failing', ids(taskQueue))).rejects.toThrow();
    },
    { activities: counting, interceptors: { activity: [tagging] } },
  );
  await withWorker((taskQueue) => client.workflow.execute('child', { ...ids(taskQueue), args: ['x'] }), { maxCachedWorkflows: 0 });
  const { resourceMetrics, errors } = await metricReader.collect();
  expect(errors).toEqual([]);
  const metrics = new Map(resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics).map((metric) => [metric.descriptor.name, metric]));
  for (const [name, labels] of Object.entries(METRICS)) {
    const metric = metrics.get(name);
    expect(metric, name).toBeDefined();
    expect(metric!.descriptor.description, name).not.toBe('');
    for (const { attributes } of metric!.dataPoints)
      expect(Object.keys(attributes).sort(), name).toEqual(['namespace', 'task_queue', ...labels].sort());
  }
  expect(metrics.get('temporal_workflow_task_execution_latency')!.descriptor.unit).toBe('ms');
  expect(metrics.get('greetings')!.dataPoints[0]!.attributes).toMatchObject({ activityType: 'greet', shop: 'north' });
});
