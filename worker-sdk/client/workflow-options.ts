/** Options that a client's calls on workflows take. */
import type { google, temporal } from '../definitions/api.js';
import type { Duration } from '../definitions/duration.js';
import { msOptionalToTs } from '../definitions/duration.js';
import type { PayloadTypeInfo, SignalTypeInfo } from '../definitions/type-info.js';
import type { VersioningOverride } from '../definitions/versioning.js';
import { encodeVersioningBehavior } from '../definitions/versioning.js';
import type { SignalDefinition, Workflow } from '../definitions/workflow.js';
import type { CommonWorkflowOptions, WithWorkflowArgs } from '../definitions/workflow-options.js';

export * from '../definitions/workflow-options.js';

/** Options of a start from a client. */
export type WorkflowOptions = CommonWorkflowOptions & {
  /** Name of the workflow, best one with a meaning: there is at most one open run of it. */
  workflowId: string;
  /** The queue whose workers run it. */
  taskQueue: string;
  /** Whether `result()` follows the workflow to its next run (continue-as-new, cron, retry). Default true. */
  followRuns?: boolean;
  /** Time to wait before the first task. */
  startDelay?: Duration;
  /** Goes before the versioning behaviour that the workflow's code names. Default: none. Perdure's own server knows no versions and refuses a pin. */
  versioningOverride?: VersioningOverride;
  /**
   * Takes the first task in the answer of the start, if a worker of this process, on the same connection and queue, has
   * a free slot. Saves a round trip. Default false.
   */
  requestEagerStart?: boolean;
  /** How arguments and result are converted. */
  typeInfo?: PayloadTypeInfo;
};

/** Options of {@link WorkflowClient.start} and `execute`, with the arguments that the workflow asks for. */
export type WorkflowStartOptions<T extends Workflow = Workflow> = WithWorkflowArgs<T, WorkflowOptions>;

/** Options with durations and overrides as the API has them; `args` are not yet converted. */
export type CompiledWorkflowOptions = WithCompiledWorkflowOptions<WorkflowOptions> & { args: unknown[] };

/**
 * Any options of a start with durations and overrides as the API has them: `workflowExecutionTimeout`, `workflowRunTimeout`, `workflowTaskTimeout`,
 * `startDelay`, `versioningOverride`.
 */
export type WithCompiledWorkflowOptions<T extends WorkflowOptions> = Omit<
  T,
  'workflowExecutionTimeout' | 'workflowRunTimeout' | 'workflowTaskTimeout' | 'startDelay' | 'versioningOverride'
> & {
  workflowExecutionTimeout?: google.protobuf.IDuration;
  workflowRunTimeout?: google.protobuf.IDuration;
  workflowTaskTimeout?: google.protobuf.IDuration;
  startDelay?: google.protobuf.IDuration;
  versioningOverride?: temporal.api.workflow.v1.IVersioningOverride;
};

/** Options of an update. */
export interface WorkflowUpdateOptions {
  /** Identifies the update: the same id is executed once. Default a UUID. */
  readonly updateId?: string;
  /** How arguments and result are converted. Default: as the definition says. */
  typeInfo?: PayloadTypeInfo;
}

/** Options of {@link WorkflowClient.signalWithStart} for a `signal`, by definition or name, with arguments: `signalArgs`. */
export interface WorkflowSignalWithStartOptionsWithArgs<SignalArgs extends unknown[]> extends Omit<WorkflowOptions, 'requestEagerStart'> {
  signal: SignalDefinition<SignalArgs> | string;
  signalArgs: SignalArgs;
}

/** Options of {@link WorkflowClient.signalWithStart} for a `signal`, by definition or name, without arguments: `signalArgs` may be left out. */
export interface WorkflowSignalWithStartOptionsWithoutArgs<SignalArgs extends unknown[]> extends Omit<WorkflowOptions, 'requestEagerStart'> {
  signal: SignalDefinition<SignalArgs> | string;
  signalArgs?: SignalArgs;
}

/** Options of {@link WorkflowClient.signalWithStart}. */
export type WorkflowSignalWithStartOptions<SignalArgs extends unknown[] = []> = (SignalArgs extends [unknown, ...unknown[]]
  ? WorkflowSignalWithStartOptionsWithArgs<SignalArgs>
  : WorkflowSignalWithStartOptionsWithoutArgs<SignalArgs>) & {
  /** How the signal's arguments are converted, where it is given by name. */
  signalTypeInfo?: SignalTypeInfo;
};

/** Converts durations and overrides, and copies the arguments. */
export function compileWorkflowOptions(options: WorkflowOptions & { args?: readonly unknown[] }): CompiledWorkflowOptions {
  const { args, workflowExecutionTimeout, workflowRunTimeout, workflowTaskTimeout, startDelay, versioningOverride, ...rest } = options;
  if (!rest.workflowId) throw new TypeError("Missing 'workflowId': expected a non-empty string");
  if (!rest.taskQueue) throw new TypeError("Missing 'taskQueue': expected a non-empty string");
  return {
    ...rest,
    args: args ? [...args] : [],
    workflowExecutionTimeout: msOptionalToTs(workflowExecutionTimeout),
    workflowRunTimeout: msOptionalToTs(workflowRunTimeout),
    workflowTaskTimeout: msOptionalToTs(workflowTaskTimeout),
    startDelay: msOptionalToTs(startDelay),
    versioningOverride: versioningOverride && compileVersioningOverride(versioningOverride),
  };
}

function compileVersioningOverride(override: VersioningOverride): temporal.api.workflow.v1.IVersioningOverride {
  if (override === 'AUTO_UPGRADE') return { autoUpgrade: true, behavior: encodeVersioningBehavior('AUTO_UPGRADE') };
  const { deploymentName, buildId } = override.pinnedTo;
  return {
    // 1 = PINNED_OVERRIDE_BEHAVIOR_PINNED; the flat fields are for servers from before the nested ones.
    pinned: { behavior: 1, version: { deploymentName, buildId } },
    behavior: encodeVersioningBehavior('PINNED'),
    pinnedVersion: `${deploymentName}.${buildId}`,
  };
}
