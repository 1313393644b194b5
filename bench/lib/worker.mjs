/** The worker process. A fifth argument is how many runs it may cache (empty: the default), a sixth its namespace. */
import { sdk } from './sdks.mjs';

const [, , sdkName, address, taskQueue, maxCachedWorkflows, namespace] = process.argv;
const begin = performance.now();
const options = { taskQueue, activities: { step: async (value) => value }, ...(maxCachedWorkflows ? { maxCachedWorkflows: Number(maxCachedWorkflows) } : {}), ...(namespace ? { namespace } : {}) };
const worker = await sdk(sdkName).worker(address, options);
const running = worker.run();
process.on('message', () => worker.shutdown()).once('disconnect', () => process.exit());
process.send({ ready: true, startMs: performance.now() - begin, sinceProcessStartMs: performance.now() });
await running;
process.disconnect();
