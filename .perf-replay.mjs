import { readFileSync, writeFileSync } from 'node:fs';
const dist = new URL('./worker-sdk/dist/', import.meta.url).href;
const N = 1666;
const b64 = (s) => Buffer.from(s).toString('base64');
const payload = (v) => ({ metadata: { encoding: b64('json/plain') }, data: b64(JSON.stringify(v)) });
const events = []; let id = 0;
const add = (eventType, attrs) => { id++; events.push({ eventId: String(id), eventTime: new Date(Date.UTC(2030, 0, 1) + id * 100).toISOString(), taskId: String(1000 + id), eventType, ...attrs }); return String(id); };
add('EVENT_TYPE_WORKFLOW_EXECUTION_STARTED', { workflowExecutionStartedEventAttributes: { workflowType: { name: 'loop' }, taskQueue: { name: 'tq' }, input: { payloads: [payload(N)] }, workflowTaskTimeout: '10s', originalExecutionRunId: '01890000-0000-7000-8000-000000000001', firstExecutionRunId: '01890000-0000-7000-8000-000000000001', attempt: 1 } });
const wft = () => { const s = add('EVENT_TYPE_WORKFLOW_TASK_SCHEDULED', { workflowTaskScheduledEventAttributes: { taskQueue: { name: 'tq' } } }); const st = add('EVENT_TYPE_WORKFLOW_TASK_STARTED', { workflowTaskStartedEventAttributes: { scheduledEventId: s } }); return add('EVENT_TYPE_WORKFLOW_TASK_COMPLETED', { workflowTaskCompletedEventAttributes: { scheduledEventId: s, startedEventId: st, sdkMetadata: id < 10 ? { coreUsedFlags: [1, 2, 3], langUsedFlags: [1, 2] } : {} } }); };
let c = wft();
for (let i = 1; i <= N; i++) {
  const s = add('EVENT_TYPE_ACTIVITY_TASK_SCHEDULED', { activityTaskScheduledEventAttributes: { activityId: String(i), activityType: { name: 'hello' }, taskQueue: { name: 'tq' }, input: { payloads: [payload(i - 1)] }, startToCloseTimeout: '60s', workflowTaskCompletedEventId: c } });
  const st = add('EVENT_TYPE_ACTIVITY_TASK_STARTED', { activityTaskStartedEventAttributes: { scheduledEventId: s, attempt: 1 } });
  add('EVENT_TYPE_ACTIVITY_TASK_COMPLETED', { activityTaskCompletedEventAttributes: { scheduledEventId: s, startedEventId: st, result: { payloads: [payload('hi ' + i)] } } });
  c = wft();
}
add('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED', { workflowExecutionCompletedEventAttributes: { result: { payloads: [payload('hi ' + N)] }, workflowTaskCompletedEventId: c } });
console.log(events.length, 'events');
const json = { events };
if (process.argv[2] === 'ours') {
  const { createWorkflowHost } = await import(dist + 'replay/create-workflow-host.js');
  const { historyFromJson } = await import(dist + 'replay/history-json.js');
  const logger = { log(){}, trace(){}, debug(){}, info(){}, warn(){}, error(){} };
  const host = await createWorkflowHost({ workflowsPath: new URL('.perf-loop.ts', import.meta.url).pathname, namespace: 'default', taskQueue: 'tq', identity: 'x', logger, runLocalActivity: () => new Promise(() => {}) });
  for (let i = 0; i < 5; i++) { const h = historyFromJson(json); const t = performance.now(); const u0 = process.cpuUsage(); const r = await host.replayHistory(h); const u = process.cpuUsage(u0); if (r.error) throw r.error; console.log('ours ms', (performance.now() - t).toFixed(0), 'cpu', ((u.user + u.system) / 1000).toFixed(0)); }
  host.dispose();
} else {
  const { Worker, Runtime, DefaultLogger } = await import('@temporalio/worker');
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: new URL('.perf-loop-official.ts', import.meta.url).pathname, logger: new DefaultLogger('ERROR') });
  for (let i = 0; i < 4; i++) { const h = structuredClone(json); const t = performance.now(); const u0 = process.cpuUsage(); await Worker.runReplayHistory({ workflowBundle }, h); const u = process.cpuUsage(u0); console.log('official ms', (performance.now() - t).toFixed(0), 'cpu', ((u.user + u.system) / 1000).toFixed(0)); }
  process.exit(0);
}
