import { fileURLToPath } from 'node:url';
import { Worker } from '@perdure/sdk/worker';
import * as activities from './activities.mjs';

const workflowsPath = fileURLToPath(new URL('workflows.mjs', import.meta.url));
const worker = await Worker.create({ workflowsPath, activities, taskQueue: 'hello' });
await worker.run();
