/** The worker process. */
import { sdk } from './sdks.mjs';

const [, , sdkName, address, taskQueue] = process.argv;
const begin = performance.now();
const worker = await sdk(sdkName).worker(address, { taskQueue, activities: { step: async (value) => value } });
const running = worker.run();
process.on('message', () => worker.shutdown());
process.send({ ready: true, startMs: performance.now() - begin, sinceProcessStartMs: performance.now() });
await running;
process.disconnect();
