/** Worker deployments: which build a worker is, and which build a run may move to. */
import { enumNames } from './enum-names.js';

/** One version of a worker deployment: `buildId` is unique within `deploymentName`. */
export interface WorkerDeploymentVersion {
  readonly buildId: string;
  readonly deploymentName: string;
}

/** `deploymentName.buildId`, as tools print it. */
export function toCanonicalString(version: WorkerDeploymentVersion): string {
  return `${version.deploymentName}.${version.buildId}`;
}

/** Whether a run stays on the version it started on, or moves to the current one with its next task. */
export const VersioningBehavior = { PINNED: 'PINNED', AUTO_UPGRADE: 'AUTO_UPGRADE' } as const;
export type VersioningBehavior = (typeof VersioningBehavior)[keyof typeof VersioningBehavior];
/** Versioning behavior: the API's number for a name, and the name for a number. */
export const [encodeVersioningBehavior, decodeVersioningBehavior] = enumNames({ PINNED: 1, AUTO_UPGRADE: 2 }, 'VERSIONING_BEHAVIOR_');

/** Overrides the versioning behaviour of a run when it is started. */
export type VersioningOverride = PinnedVersioningOverride | AutoUpgradeVersioningOverride;
/** Runs stay with the version that is named. */
export interface PinnedVersioningOverride {
  /** The version that handles the run. */
  pinnedTo: WorkerDeploymentVersion;
}
/** Runs go with the current version of their deployment. */
export type AutoUpgradeVersioningOverride = 'AUTO_UPGRADE';

/** What version the first task of a run after continue-as-new goes to. */
export const InitialVersioningBehavior = { AUTO_UPGRADE: 'AUTO_UPGRADE', USE_RAMPING_VERSION: 'USE_RAMPING_VERSION' } as const;
export type InitialVersioningBehavior = (typeof InitialVersioningBehavior)[keyof typeof InitialVersioningBehavior];
/** Initial versioning behavior: the API's number for a name, and the name for a number. */
export const [encodeInitialVersioningBehavior, decodeInitialVersioningBehavior] = enumNames(
  { AUTO_UPGRADE: 1, USE_RAMPING_VERSION: 2 },
  'CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_',
);
