/** A client that starts workflows at a given rate, whether or not earlier ones are done, and waits for the result of each. */
import { randomUUID } from 'node:crypto';
import { sdk } from './sdks.mjs';

const [, , sdkName, address, taskQueue, namespace] = process.argv;
const { client, close } = await sdk(sdkName).client(address, namespace);

/** More than this are not kept waiting: a client has memory, too. */
const OUTSTANDING_MAX = 10_000;
const counts = { sent: 0, unsent: 0, started: 0, failed: 0, done: 0, outstanding: 0 };
let latencies = [];

async function one() {
  const begin = performance.now();
  counts.outstanding++;
  try {
    const handle = await client.workflow.start('oneActivity', { taskQueue, workflowId: `open-${randomUUID()}`, args: ['x'] });
    counts.started++;
    await handle.result();
    counts.done++;
    latencies.push(performance.now() - begin);
  } catch {
    counts.failed++;
  }
  counts.outstanding--;
}

let timer;
function drive(perSecond) {
  clearInterval(timer);
  if (perSecond === 0) return;
  const begin = performance.now();
  let due = 0;
  timer = setInterval(() => {
    const shouldBe = Math.floor(((performance.now() - begin) / 1000) * perSecond);
    for (; due < shouldBe; due++) {
      if (counts.outstanding >= OUTSTANDING_MAX) counts.unsent++;
      else {
        counts.sent++;
        void one();
      }
    }
  }, 10);
}

process.on('message', async ({ kind, perSecond }) => {
  if (kind === 'drive') drive(perSecond);
  if (kind === 'end') {
    drive(0);
    void close().catch(() => undefined);
    process.exit(0);
  }
  const taken = latencies.sort((a, b) => a - b);
  latencies = [];
  process.send({ ...counts, p50: taken[Math.floor(taken.length / 2)], p95: taken[Math.floor(taken.length * 0.95)] });
});
process.once('disconnect', () => process.exit()); // a parent that was killed says nothing more
process.send({ ready: true });
