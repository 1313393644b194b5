/**
 * Large payloads, as agents have them: a workflow whose ten activities take and return a text of some size, four in flight. What a megabyte of payloads
 * costs each process (one of a step's input and one of its result are two), and the engine's resident memory at its highest.
 *
 *   node bench/payloads.mjs
 *   node bench/payloads.mjs --kilobytes 1,500 --sdk official
 */
import { startPair } from './lib/children.mjs';
import { benchRow, cpuMeter, cpuText } from './lib/frame.mjs';
import { misused, numeric } from './lib/options.mjs';
import { familyResidentMiB } from './lib/processes.mjs';
import { scenarios } from './lib/scenarios.mjs';

const KB = 1_000;
const MB = 1_000 * KB;
const WORDS = 'the run resumes where it was and pays for no call twice while people decide whether what the agent asks for is right'.split(' ');
/** What a workflow carries: its own argument and result, and those of its ten steps. */
const COPIES = 22;
const LOOK_MS = 100;

/** Words in no order: compresses about as well as prose. */
function textOf(bytes) {
  const words = [];
  for (let length = 0; length < bytes; length += words.at(-1).length + 1) words.push(`${WORDS[Math.floor(Math.random() * WORDS.length)]}${Math.random().toString(36).slice(2, 5)}`);
  return words.join(' ').slice(0, bytes);
}

/** The highest resident memory of a process while something runs. */
async function highest(pid, work) {
  let most = familyResidentMiB(pid);
  const timer = setInterval(() => {
    most = Math.max(most, familyResidentMiB(pid) ?? 0);
  }, LOOK_MS);
  try {
    return { result: await work(), most };
  } finally {
    clearInterval(timer);
  }
}

const options = {
  seconds: numeric(6, 3, 'how long each size is measured'),
  kilobytes: { type: 'string', value: 'n,…', otherwise: '1,20,200,1000', what: 'sizes of the text' },
  sdk: { type: 'string', value: 'name', otherwise: 'ours', oneOf: ['ours', 'official'], what: 'ours or official' },
};

await benchRow({ title: 'Large payloads', lasting: true, options }, async ({ engine, number, values, figure, note, progress }) => {
  const sizes = values.kilobytes.split(',').map(Number);
  if (!sizes.every((size) => size > 0)) misused(`--kilobytes: expected numbers with commas, got ${values.kilobytes}`);
  const pair = await startPair(engine.address, { sdk: values.sdk });
  const { inFlight } = scenarios.payloads;
  for (const kilobytes of sizes) {
    progress(`${kilobytes} kB`);
    const work = { scenario: 'payloads', inFlight, payload: textOf(kilobytes * KB) };
    await pair.client.ask({ ...work, limit: 2 * inFlight, seconds: number('seconds') });
    const cpu = cpuMeter(engine, { worker: pair.worker.pid, client: pair.client.pid });
    const { result: answer, most } = await highest(engine.enginePid, () => pair.client.ask({ ...work, limit: Number.MAX_SAFE_INTEGER, seconds: number('seconds') }));
    const spent = cpu.take();
    const { latencies, elapsedMs } = answer.result;
    const megabytes = (latencies.length * COPIES * kilobytes * KB) / MB;
    const perSecond = 1_000 / elapsedMs;
    figure({
      what: `steps with ${kilobytes} kB each way: CPU of the engine per MB`,
      value: spent.engine / megabytes,
      unit: 'ms',
      note: `${(latencies.length * 10 * perSecond).toFixed(0)} steps/s, ${(megabytes * perSecond).toFixed(0)} MB/s; CPU-ms per MB: ${cpuText(spent, megabytes)}; engine at most ${most.toFixed(0)} MiB`,
    });
  }
  note('a payload is copied, compressed (lz4) and written to the log by PostgreSQL, and read as JSON by the worker, whatever the engine does');
  await pair.end();
});
