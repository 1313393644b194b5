/** Which build a worker is, as each of its requests says it. */
import type { temporal } from '../definitions/api.js';
import type { VersioningBehavior, WorkerDeploymentVersion } from '../definitions/versioning.js';

type DeploymentOptions = temporal.api.deployment.v1.IWorkerDeploymentOptions;

/**
 * How a worker takes part in a deployment. For servers that have worker deployments: Perdure's own records the version with each task and hands every task to any
 * worker of the queue.
 */
export type WorkerDeploymentOptions = {
  /** What this worker is, within its deployment; recorded with each task. */
  version: WorkerDeploymentVersion;
} & (
  | {
      /** Runs are routed by version: this worker gets those that are pinned to it, and others while its version is current or ramping. */
      useWorkerVersioning: true;
      /** For workflows that say nothing themselves. */
      defaultVersioningBehavior: VersioningBehavior;
    }
  | {
      /** The version is only recorded. */
      useWorkerVersioning: false;
      defaultVersioningBehavior?: undefined;
    }
);

/** The version parts of requests. */
export interface WorkerVersion {
  poll: { deploymentOptions?: DeploymentOptions; workerVersionCapabilities?: temporal.api.common.v1.IWorkerVersionCapabilities };
  completion: { deploymentOptions?: DeploymentOptions; workerVersionStamp?: temporal.api.common.v1.IWorkerVersionStamp };
  failure: { deploymentOptions?: DeploymentOptions; workerVersion?: temporal.api.common.v1.IWorkerVersionStamp };
}

/** WORKER_VERSIONING_MODE_UNVERSIONED and _VERSIONED */
const UNVERSIONED = 1;
const VERSIONED = 2;

export function workerVersion(buildId: string, deployment: WorkerDeploymentOptions | undefined): WorkerVersion {
  const stamp = { buildId, useVersioning: false };
  if (!deployment) {
    return { poll: { workerVersionCapabilities: stamp }, completion: { workerVersionStamp: stamp }, failure: { workerVersion: stamp } };
  }
  const { deploymentName, buildId: deploymentBuildId } = deployment.version;
  const deploymentOptions = {
    deploymentName,
    buildId: deploymentBuildId,
    workerVersioningMode: deployment.useWorkerVersioning ? VERSIONED : UNVERSIONED,
  };
  return {
    poll: { deploymentOptions },
    completion: { deploymentOptions, workerVersionStamp: { ...stamp, buildId: deploymentBuildId } },
    failure: { deploymentOptions, workerVersion: { ...stamp, buildId: deploymentBuildId } },
  };
}
