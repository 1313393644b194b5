/** What is measured. Each scenario makes one unit of work and says how long the part took that its latency is about. */
import { randomUUID } from 'node:crypto';

const start = (client, type, taskQueue, args = []) => client.workflow.start(type, { taskQueue, workflowId: `bench-${randomUUID()}`, args });

const timed = async (action) => {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
};

export const scenarios = {
  'one-activity': {
    title: 'one-activity workflow',
    inFlight: 50,
    stepsPerWorkflow: 1,
    unit: (client, taskQueue) => timed(async () => (await start(client, 'oneActivity', taskQueue, ['x'])).result()),
  },
  sequential: {
    title: 'one at a time, start to result',
    inFlight: 1,
    stepsPerWorkflow: 1,
    unit: (client, taskQueue) => timed(async () => (await start(client, 'oneActivity', taskQueue, ['x'])).result()),
  },
  'ten-step': {
    title: 'ten-step workflow',
    inFlight: 50,
    stepsPerWorkflow: 10,
    unit: (client, taskQueue) => timed(async () => (await start(client, 'tenSteps', taskQueue, ['x'])).result()),
  },
  payloads: {
    title: 'ten-step workflow with a large payload',
    inFlight: 4,
    stepsPerWorkflow: 10,
    unit: (client, taskQueue, { payload }) => timed(async () => (await start(client, 'tenSteps', taskQueue, [payload])).result()),
  },
  signal: {
    title: 'signal to completed',
    inFlight: 1,
    stepsPerWorkflow: 1,
    async unit(client, taskQueue) {
      const handle = await start(client, 'untilSignal', taskQueue);
      // The workflow waits once its first task is done: only then is the signal what the result is waiting for.
      for (;;) {
        const { events } = await handle.fetchHistory();
        if (events.some((event) => event.workflowTaskCompletedEventAttributes)) break;
      }
      const result = handle.result();
      return timed(async () => {
        await handle.signal('go');
        await result;
      });
    },
  },
};
