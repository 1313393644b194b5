/** The worker's options as the workflow host takes them. */
import { fileURLToPath } from 'node:url';
import type { Logger } from '../definitions/logger.js';
import type { MetricMeter } from '../definitions/metrics.js';
import { encodeVersioningBehavior } from '../definitions/versioning.js';
import { createWorkflowHost } from '../replay/create-workflow-host.js';
import type { WorkflowHostOptions } from '../replay/workflow-host.js';
import type { MakeHost } from './assembly.js';
import type { CompiledWorkerOptions } from './compiled-options.js';

/** Makes the host once the worker can run local activities. */
export function makeWorkflowHost(options: CompiledWorkerOptions, logger: Logger, metricMeter: MetricMeter): MakeHost {
  return (runLocalActivity, observer) =>
    createWorkflowHost({ ...hostOptions(options, logger, metricMeter), ...observer, runLocalActivity });
}

/** The options that running and replaying workflows have in common. */
export function hostOptions(
  options: CompiledWorkerOptions,
  logger: Logger,
  metricMeter: MetricMeter,
): Omit<WorkflowHostOptions, 'runLocalActivity'> {
  const { workflowsPath, dataConverter, interceptors, bundlerOptions, workerDeploymentOptions: deployment } = options;
  return {
    workflowsPath: filePath(workflowsPath),
    workflowBundle: options.workflowBundle,
    workflowInterceptorModules: interceptors?.workflowModules?.map((module) => filePath(module)!),
    payloadConverterPath: filePath(dataConverter?.payloadConverterPath),
    failureConverterPath: filePath(dataConverter?.failureConverterPath),
    ...bundlerOptions,
    namespace: options.namespace,
    taskQueue: options.taskQueue,
    identity: options.identity,
    buildId: options.buildId,
    deploymentVersion: deployment?.version,
    defaultVersioningBehavior: encodeVersioningBehavior(deployment?.defaultVersioningBehavior),
    logger,
    metricMeter,
    sinks: options.sinks,
    activityNames: options.activityFunctions.has('default') ? undefined : new Set(options.activityFunctions.keys()),
    workflowFailureErrorTypes: options.workflowFailureErrorTypes,
    showStackTraceSources: options.showStackTraceSources,
    patchActivationCallback: options.patchActivationCallback,
    maxCachedRuns: options.maxCachedWorkflows,
    activationTimeoutMs: options.debugMode ? 0 : undefined,
  };
}

/** File URLs as paths; ES modules have no other way to name a file beside them. */
function filePath(path: string | undefined): string | undefined {
  return path?.startsWith('file:') ? fileURLToPath(path) : path;
}
