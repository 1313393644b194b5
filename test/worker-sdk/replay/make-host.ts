// A workflow host over workflow code that a test writes down.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWorkflowHost } from '../../../worker-sdk/replay/create-workflow-host.js';
import type { WorkflowHost, WorkflowHostOptions } from '../../../worker-sdk/replay/workflow-host.js';
import { silentLogger } from './silent-logger.js';

// Inside of the repository, so that the code finds the packages that it imports.
const base = fileURLToPath(new URL('./', import.meta.url));

/** Writes files into a folder of their own and hosts the workflows of `workflows.ts`. */
export async function makeHost(files: string | Record<string, string>, options: Partial<WorkflowHostOptions> = {}): Promise<WorkflowHost> {
  const folder = mkdtempSync(join(base, '.code-'));
  const all = typeof files === 'string' ? { 'workflows.ts': files } : files;
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  try {
    return await createWorkflowHost({
      workflowsPath: join(folder, 'workflows.ts'),
      namespace: 'default',
      taskQueue: 'tq',
      identity: 'test',
      logger: silentLogger,
      runLocalActivity: () => Promise.reject(new Error('no local activities here')),
      ...options,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
