/** What a run costs while it waits for its activity: memory in the cache of the host, CPU to get there. */
import { createWorkflowHost } from '../../worker-sdk/dist/replay/create-workflow-host.js';
import { defaultPayloadConverter } from '@perdure/sdk';

const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const eventTime = { seconds: 1_900_000_000, nanos: 0 };

function firstTask(type, n) {
  const started = {
    workflowType: { name: type },
    taskQueue: { name: 'bench' },
    input: { payloads: [defaultPayloadConverter.toPayload(`input ${n}`)] },
    workflowTaskTimeout: { seconds: 10, nanos: 0 },
    originalExecutionRunId: `run-${n}`,
    firstExecutionRunId: `run-${n}`,
    attempt: 1,
  };
  return {
    taskToken: new Uint8Array([1]),
    workflowExecution: { workflowId: `workflow-${n}`, runId: `run-${n}` },
    workflowType: { name: type },
    previousStartedEventId: 0,
    startedEventId: 3,
    attempt: 1,
    history: {
      events: [
        { eventId: 1, eventTime, eventType: 1, workflowExecutionStartedEventAttributes: started },
        { eventId: 2, eventTime, eventType: 5, workflowTaskScheduledEventAttributes: {} },
        { eventId: 3, eventTime, eventType: 6, workflowTaskStartedEventAttributes: { scheduledEventId: 2 } },
      ],
    },
  };
}

/** Runs so many workflows up to their first activity and says what each costs. */
export async function cachedRuns(workflowsPath, type, count) {
  const host = await createWorkflowHost({
    workflowsPath,
    namespace: 'default',
    taskQueue: 'bench',
    identity: 'bench',
    logger: silent,
    maxCachedRuns: count * 2,
    runLocalActivity: () => new Promise(() => {}),
  });
  const run = async (from, to) => {
    for (let i = from; i < to; i += 50) {
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, j) => host.handleTask(firstTask(type, i + j), () => Promise.reject(new Error('no history')))),
      );
      if (outcomes.some(({ kind }) => kind !== 'completed')) throw new Error(JSON.stringify(outcomes[0]));
    }
  };
  await run(0, 500);
  for (let i = 0; i < 500; i++) host.evict(`run-${i}`);
  global.gc();
  const before = process.memoryUsage().heapUsed;
  const cpu = process.cpuUsage();
  await run(1000, 1000 + count);
  const used = process.cpuUsage(cpu);
  global.gc();
  const heapBytes = (process.memoryUsage().heapUsed - before) / host.cachedRuns;
  host.dispose();
  return { heapBytes, cpuUs: (used.user + used.system) / count };
}
