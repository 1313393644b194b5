/** Makes the workflow host. This file is the name under which the worker looks for it; what stands here yields to the real one. */
import type { WorkflowHost, WorkflowHostOptions } from './workflow-host.js';

export async function createWorkflowHost(_options: WorkflowHostOptions): Promise<WorkflowHost> {
  throw new Error('This build of the SDK cannot run workflows yet');
}
