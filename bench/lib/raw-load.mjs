/** Load by many plain connections: a burst of starts, starts at a rate, slow consumers, long polls. */
import { PlainConnection } from './plain-client.mjs';

const [, , address] = process.argv;
const RESOURCE_EXHAUSTED = 8;
const TRIES_MAX = 30;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const connections = (count, namespace) => Array.from({ length: count }, () => new PlainConnection(address, namespace));
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** Starts at once on all connections. Whoever is refused comes again when it was told to. */
async function burst({ count, over, namespace, queue }) {
  const all = connections(over, namespace);
  await Promise.all(all.map((connection) => connection.call('GetSystemInfo', {})));
  const begin = performance.now();
  const done = [];
  const other = {};
  let refused = 0;
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      for (let tries = 1; ; tries++) {
        try {
          await all[i % over].start('Nobody', queue, `burst-${i}`);
          done.push(performance.now() - begin);
          return;
        } catch (error) {
          if (error.code !== RESOURCE_EXHAUSTED || tries === TRIES_MAX) {
            other[error.code] = (other[error.code] ?? 0) + 1;
            return;
          }
          refused++;
          await wait(error.askedMs ?? 1_000);
        }
      }
    }),
  );
  for (const connection of all) connection.close();
  done.sort((a, b) => a - b);
  return { started: done.length, refused, other, p50: at(done, 0.5), p95: at(done, 0.95), lastMs: done.at(-1) };
}

/** Starts at a rate, whether or not they are answered; one that is refused is not made again. */
async function drive({ perSecond, seconds, over, namespace, queue }) {
  const all = connections(over, namespace);
  const taken = [];
  let refused = 0;
  let failed = 0;
  const under = [];
  const begin = performance.now();
  for (let sent = 0; performance.now() - begin < seconds * 1000; await wait(5)) {
    for (const due = ((performance.now() - begin) / 1000) * perSecond; sent < due; sent++) {
      const from = performance.now();
      const started = all[sent % over].start('Nobody', queue);
      under.push(started.then(() => taken.push(performance.now() - from), (error) => (error.code === RESOURCE_EXHAUSTED ? refused++ : failed++)));
    }
  }
  const elapsedMs = performance.now() - begin;
  await Promise.all(under);
  for (const connection of all) connection.close();
  taken.sort((a, b) => a - b);
  return { started: taken.length, refused, failed, elapsedMs, p50: at(taken, 0.5), p95: at(taken, 0.95) };
}

let consuming;
let over = false;
/** Slow consumers, from now until `consumed` is asked for. */
function consume({ pollers, spendMs, queue, namespace }) {
  const connection = new PlainConnection(address, namespace);
  const counts = Array.from({ length: pollers }, () => connection.consume(queue, spendMs, () => over));
  consuming = async () => {
    over = true;
    connection.close();
    return (await Promise.all(counts)).reduce((sum, n) => sum + n, 0);
  };
}

const held = { connections: [], waiting: 0, empty: 0, refused: 0, other: {} };
/** Long polls, each once; they go on waiting. */
async function polls({ count, over: spread, queue, namespace }) {
  const all = connections(spread, namespace);
  held.connections.push(...all);
  for (let i = 0; i < count; i++) {
    held.waiting++;
    all[i % spread].call('PollActivityTaskQueue', { taskQueue: { name: `${queue}-${i % 100}` }, identity: 'plain' }).then(
      () => held.empty++,
      ({ code }) => {
        if (code === RESOURCE_EXHAUSTED) held.refused++;
        else held.other[code] = (held.other[code] ?? 0) + 1;
      },
    ).finally(() => held.waiting--);
    if (i % 100 === 99) await wait(1);
  }
}

const look = () => ({ waiting: held.waiting, empty: held.empty, refused: held.refused, other: held.other });

process.once('disconnect', () => process.exit()); // a parent that was killed says nothing more
process.on('message', async ({ kind, ...options }) => {
  if (kind === 'end') process.exit(0);
  if (kind === 'burst') process.send(await burst(options));
  else if (kind === 'drive') process.send(await drive(options));
  else if (kind === 'consume') process.send({ consuming: consume(options) === undefined });
  else if (kind === 'consumed') process.send({ count: await consuming() });
  else {
    if (kind === 'polls') await polls(options);
    process.send(look());
  }
});
process.send({ ready: true });
