// A worker and a client in one process of whatever runtime this is. Prints a line for each thing that was tried; exit code 1 when one is not as on Node.
// PERDURE_ADDRESS names the server.
import { deepEqual, match } from 'node:assert/strict';
import { ApplicationFailure } from '@perdure/sdk';
import { Context } from '@perdure/sdk/activity';
import { Client, Connection } from '@perdure/sdk/client';
import { DefaultLogger, Runtime, Worker } from '@perdure/sdk/worker';

const POLL_MS = 100;
const LIMIT_MS = 20_000;

Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await Connection.connect({ address: process.env.PERDURE_ADDRESS });
const client = new Client({ connection });
const taskQueue = `probe-${process.pid}`;
const greet = async (name) => {
  if (name === 'nobody') throw ApplicationFailure.nonRetryable('no such person', 'Nobody');
  return `Hello, ${name}! (attempt ${Context.current().info.attempt})`;
};
const worker = await Worker.create({
  connection, taskQueue, activities: { greet }, bundlerOptions: { cache: false },
  workflowsPath: new URL('./workflows.mjs', import.meta.url).href,
});

const start = (type, ...args) => client.workflow.start(type, { taskQueue, workflowId: `${type}-${Math.random()}`, args, workflowTaskTimeout: '20s' });
const result = async (type, ...args) => (await start(type, ...args)).result();

/** The message of the first workflow task that failed; `undefined` when the run ended well. */
const taskFailure = async (type) => {
  const handle = await start(type);
  for (const until = Date.now() + LIMIT_MS; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, POLL_MS))) {
    const { events } = await handle.fetchHistory();
    const failed = events.find((event) => event.workflowTaskFailedEventAttributes);
    if (failed) {
      await handle.terminate();
      return failed.workflowTaskFailedEventAttributes.failure.message;
    }
    if (events.at(-1).workflowExecutionCompletedEventAttributes) return undefined;
  }
  throw new Error(`${type} neither failed nor ended`);
};

const probes = {
  'activities, timers': async () => deepEqual(await result('hello', 'you'), 'Hello, you! (attempt 1)'),
  'signals, queries, updates, children, AsyncLocalStorage': async () => {
    const handle = await start('talk');
    await handle.signal('say', 'a');
    deepEqual(await handle.executeUpdate('add', { args: ['b'] }), 2);
    deepEqual(await handle.query('heard'), 2);
    deepEqual(await handle.result(), { stored: 'kept', heard: ['a', 'b'], child: 'Hello, child! (attempt 1)' });
  },
  'failures keep their type': async () => {
    const error = await result('fails').catch((reason) => reason);
    deepEqual(error.cause.cause.type, 'Nobody');
  },
  'the clock of the workflow': async () => deepEqual(await result('clock'), { moves: true, stands: true, starts: true, uuid: 36 }),
  'runs do not see each other': async () => {
    for (let i = 0; i < 2; i++) deepEqual(await result('isolation'), { calls: 1, changed: [], leaked: null });
  },
  'globals of a run': async () => {
    for (let i = 0; i < 2; i++) deepEqual(await result('ownGlobal'), 1);
  },
  'the network is out of reach': async () => match((await taskFailure('network')) ?? '', /call it in an activity/),
  'rejections that nobody handles': async () => match((await taskFailure('unhandled')) ?? '', /nobody sees this/),
  'loops are cut off': async () => match((await taskFailure('forever')) ?? '', /cut off/),
  'the worker goes on': async () => deepEqual(await result('hello', 'again'), 'Hello, again! (attempt 1)'),
};

// A task that cannot succeed is tried again and again: its run must not keep a probe waiting for ever.
const within = (promise) => Promise.race([promise, new Promise((_resolve, reject) => setTimeout(() => reject(new Error(`no end within ${LIMIT_MS} ms`)), LIMIT_MS))]);

let failures = 0;
await worker.runUntil(async () => {
  for (const [name, probe] of Object.entries(probes)) {
    try {
      await within(probe());
      console.log(`ok    ${name}`);
    } catch (error) {
      failures += 1;
      console.log(`FAIL  ${name}: ${String(error.message).split('\n').join(' ')}`);
    }
  }
});
await connection.close();
process.exit(failures === 0 ? 0 : 1);
