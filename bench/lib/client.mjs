/** The client process: keeps so many units of work in flight for so long, and reports how long each took. */
import { scenarios } from './scenarios.mjs';
import { sdk } from './sdks.mjs';

const [, , sdkName, address, taskQueue, namespace] = process.argv;
const { client, connection, close } = await sdk(sdkName).client(address, namespace);

async function drive({ scenario, inFlight, seconds, limit, payload }) {
  const { unit } = scenarios[scenario];
  const latencies = [];
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let started = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end && started < limit) {
        started++;
        latencies.push(await unit(client, taskQueue, { payload }));
      }
    }),
  );
  return { latencies, elapsedMs: performance.now() - begin };
}

/** How many small unary calls the connection carries: the floor under everything else. */
async function calls({ inFlight, seconds }) {
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let count = 0;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        await connection.workflowService.getSystemInfo({});
        count++;
      }
    }),
  );
  return { count, elapsedMs: performance.now() - begin };
}

process.on('message', async (message) => {
  if (message.kind === 'end') {
    await close();
    process.disconnect();
    return;
  }
  try {
    process.send({ result: await (message.kind === 'calls' ? calls(message) : drive(message)) });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
});
process.once('disconnect', () => process.exit()); // a parent that was killed says nothing more
process.send({ ready: true });
