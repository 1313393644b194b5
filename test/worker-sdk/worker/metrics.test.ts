/** Metrics: what a worker records, as Prometheus and OpenTelemetry get it. */
import { afterEach, expect, test } from 'vitest';
import { metricMeter } from '../../../worker-sdk/activity/index.js';
import { Connection } from '../../../worker-sdk/client/index.js';
import { DefaultLogger, openTelemetryMetricMeter, Runtime, Worker } from '../../../worker-sdk/worker/index.js';
import { PrometheusExporter } from '../../../worker-sdk/worker/prometheus.js';
import { FakeWorkflowService } from '../../helpers/fake-workflow-service.js';
import { until } from '../../helpers/until.js';
import { activityTask, TaskQueue } from '../activity/tasks.js';

const exporters: PrometheusExporter[] = [];
afterEach(async () => {
  await Promise.all(exporters.splice(0).map((exporter) => exporter.close()));
});

function exporter(options = {}): PrometheusExporter {
  const made = new PrometheusExporter({ bindAddress: '127.0.0.1:0', ...options });
  exporters.push(made);
  return made;
}

test('counters, gauges and histograms in the text form, tags sorted and escaped', () => {
  const { meter, ...rest } = exporter({ globalTags: { zone: 'a' } });
  void rest;
  const counter = meter.createCounter('requests', 'calls', 'How many').withTags({ b: 'x"y', a: 1 });
  counter.add(2);
  counter.add(3, { a: 2 });
  counter.add(1);
  meter.createGauge('size').set(7);
  meter.createUpDownCounter('open').add(-2);
  const latency = meter.createHistogram('latency', 'int', 'ms');
  latency.record(4);
  latency.record(150);
  const text = exporters[0]!.render();
  expect(text).toContain('# HELP requests How many\n# TYPE requests counter\n');
  expect(text).toContain('requests{a="1",b="x\\"y",zone="a"} 3\n');
  expect(text).toContain('requests{a="2",b="x\\"y",zone="a"} 3\n');
  expect(text).toContain('size{zone="a"} 7');
  expect(text).toContain('# TYPE open gauge\nopen{zone="a"} -2');
  expect(text).toContain('latency_bucket{zone="a",le="5"} 1\n');
  expect(text).toContain('latency_bucket{zone="a",le="200"} 2\n');
  expect(text).toContain('latency_bucket{zone="a",le="+Inf"} 2\nlatency_sum{zone="a"} 154\nlatency_count{zone="a"} 2\n');
});

test('names and units follow the options', () => {
  const made = exporter({
    metricPrefix: 'mine_',
    unitSuffix: true,
    countersTotalSuffix: true,
    useSecondsForDurations: true,
    histogramBucketOverrides: { temporal_wait: [1] },
  });
  made.meter.createHistogram('temporal_wait', 'int', 'ms').record(1500);
  made.meter.createCounter('temporal_done').add(1);
  const text = made.render();
  expect(text).toContain('mine_wait_seconds_bucket{le="1"} 0\nmine_wait_seconds_bucket{le="+Inf"} 1\nmine_wait_seconds_sum 1.5\n');
  expect(text).toContain('mine_done_total 1\n');
});

test('a worker’s metrics are served over HTTP', async () => {
  const runtime = Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { metrics: { prometheus: { bindAddress: '127.0.0.1:0' } } },
  });
  const service = await new FakeWorkflowService().start();
  const queue = new TaskQueue();
  service
    .on('PollActivityTaskQueue', queue.poll)
    .on('RespondActivityTaskCompleted', () => ({}))
    .on('RespondActivityTaskFailed', () => ({}));
  const connection = await Connection.connect({ address: service.address });
  const worker = await Worker.create({
    connection,
    taskQueue: 'q',
    activities: {
      fine: async () => metricMeter.createCounter('cups').add(2),
      broken: async () => {
        throw new Error('broken');
      },
    },
  });
  const url = await runtime.prometheus!.ready();
  await worker.runUntil(async () => {
    queue.push(activityTask('fine'));
    queue.push(activityTask('broken'));
    await service.called('RespondActivityTaskCompleted');
    await service.called('RespondActivityTaskFailed');
    await until('the metrics of both', async () => {
      const text = await (await fetch(url)).text();
      return text.includes('temporal_request{namespace="default",operation="RespondActivityTaskFailed",task_queue="q"} 1') && text;
    });
  });
  const text = await (await fetch(url)).text();
  expect(text).toContain('temporal_worker_start{namespace="default",task_queue="q"} 1');
  expect(text).toContain(
    'temporal_activity_execution_failed{activity_type="broken",failure_reason="ActivityError",namespace="default",task_queue="q",workflow_type="workflow"} 1',
  );
  expect(text).toContain(
    'temporal_activity_task_received{activity_type="fine",eager="false",namespace="default",task_queue="q",workflow_type="workflow"} 1',
  );
  expect(text).toContain('temporal_worker_task_slots_available{namespace="default",task_queue="q",worker_type="ActivityWorker"} 100');
  expect(text).toMatch(/temporal_activity_execution_latency_count\{activity_type="fine".*\} 1/);
  expect(text).toMatch(/temporal_long_request_latency_count\{namespace="default",operation="PollActivityTaskQueue",task_queue="q"\} \d+/);
  expect(text).toMatch(/temporal_num_pollers\{namespace="default",poller_type="activity_task",task_queue="q"\} \d+/);
  expect(text).toContain('cups{activityType="fine",namespace="default",taskQueue="q"} 2');
  expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
  await connection.close();
  service.kill();
  await runtime.shutdown();
  await expect(fetch(url)).rejects.toThrow();
});

test('OpenTelemetry gets each metric once made, and all values', () => {
  const log: unknown[] = [];
  const instrument = (verb: 'add' | 'record') => (name: string, options?: object) => {
    log.push(['make', name, options]);
    return { [verb]: (value: number, tags?: object) => log.push([name, value, tags]) } as never;
  };
  const meter = openTelemetryMetricMeter({
    createCounter: instrument('add'),
    createUpDownCounter: instrument('add'),
    createHistogram: instrument('record'),
    createGauge: instrument('record'),
  });
  meter.createCounter('c', 'u', 'd').add(1, { t: 1 });
  meter.createCounter('c').add(2);
  meter.withTags({ w: 'x' }).createGauge('g').set(5);
  expect(log).toEqual([
    ['make', 'c', { unit: 'u', description: 'd' }],
    ['c', 1, { t: 1 }],
    ['c', 2, {}],
    ['make', 'g', { unit: undefined, description: undefined }],
    ['g', 5, { w: 'x' }],
  ]);
});
