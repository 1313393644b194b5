/** Overrides of worker versioning: structure only. Which versions there are is for the engine to say. */
import { enums, type temporal } from '../api.js';
import type { Problem } from './problem.js';

type Override = temporal.api.workflow.v1.IVersioningOverride;
const BEHAVIOR = enums.VersioningBehavior;

export function versioningOverrideProblem(override: Override | null | undefined): Problem {
  if (!override) return undefined;
  if (override.autoUpgrade) return undefined;
  if (override.pinned) {
    if (!override.pinned.version) return 'must provide version if override is pinned.';
    return override.pinned.behavior ? undefined : 'must specify pinned override behavior if override is pinned.';
  }
  if (override.oneTime)
    return override.oneTime.targetDeploymentVersion ? undefined : 'must provide target deployment version if override is one-time.';
  switch (override.behavior) {
    case BEHAVIOR.VERSIONING_BEHAVIOR_PINNED:
      return override.deployment || override.pinnedVersion
        ? undefined
        : "must provide deployment (deprecated) or pinned version if behavior is 'PINNED'";
    case BEHAVIOR.VERSIONING_BEHAVIOR_AUTO_UPGRADE:
      if (override.deployment) return "only provide deployment if behavior is 'PINNED'";
      return override.pinnedVersion ? "only provide pinned version if behavior is 'PINNED'" : undefined;
    default:
      return override.behavior ? `override behavior ${override.behavior} not recognized` : 'override behavior is required';
  }
}

/** The version that an override pins a run to, as `deployment:build`; empty when it pins none. */
export function pinnedTo(override: Override | null | undefined): string {
  const version = override?.pinned?.version ?? override?.oneTime?.targetDeploymentVersion;
  if (version) return `${version.deploymentName ?? ''}:${version.buildId ?? ''}`;
  if (override?.behavior !== BEHAVIOR.VERSIONING_BEHAVIOR_PINNED) return '';
  return override.pinnedVersion || `${override.deployment?.seriesName ?? ''}:${override.deployment?.buildId ?? ''}`;
}
