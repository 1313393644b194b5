/** A worker for workflows that a test has in its text. */
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connection } from '../../../worker-sdk/client/index.js';
import { bundleWorkflowCode, Worker, type WorkerOptions } from '../../../worker-sdk/worker/index.js';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** A file beside the suite's workflows for the time of a call. */
async function withFile<R>(text: string, use: (file: string) => Promise<R>): Promise<R> {
  const file = path.join(folder, `.${randomUUID()}.ts`);
  writeFileSync(file, text);
  try {
    return await use(file);
  } finally {
    rmSync(file);
  }
}

/** Bundles workflows that import the workflow package as `w`. */
export async function bundleInline(workflows: string, workflowInterceptorModules?: string[]): Promise<{ code: string }> {
  const code = `import * as w from '@perdure/sdk/workflow';\n${workflows}`;
  return withFile(code, (workflowsPath) => bundleWorkflowCode({ workflowsPath, workflowInterceptorModules }));
}

/** Runs `use` while a worker for these workflows runs. */
export async function withInlineWorker<R>(
  connection: Connection,
  workflows: string,
  options: Partial<WorkerOptions>,
  use: (taskQueue: string) => Promise<R>,
): Promise<R> {
  const taskQueue = `inline-${randomUUID()}`;
  const workflowBundle = await bundleInline(workflows, options.interceptors?.workflowModules);
  const worker = await Worker.create({ connection, taskQueue, workflowBundle, ...options });
  return worker.runUntil(() => use(taskQueue));
}

/** Options of a start: the queue, and an id of its own. */
export const ids = (taskQueue: string) => ({ taskQueue, workflowId: `w-${randomUUID()}` });
