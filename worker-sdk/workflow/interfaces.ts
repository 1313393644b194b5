// biome-ignore-all lint/suspicious/noExplicitAny: handlers take whatever arguments their definition names.
/** What workflow code sees of itself, and the options it gives: information, continue-as-new, children, handlers. */
import type { coresdk } from '@temporalio/proto';
import type { Duration } from '../definitions/duration.js';
import { enumNames } from '../definitions/enum-names.js';
import type { Priority } from '../definitions/priority.js';
import type { RetryPolicy } from '../definitions/retry-policy.js';
import type { PayloadTypeInfo } from '../definitions/type-info.js';
import type { InitialVersioningBehavior, WorkerDeploymentVersion } from '../definitions/versioning.js';
import type { HandlerUnfinishedPolicy, QueryDefinition, SignalDefinition, UpdateDefinition } from '../definitions/workflow.js';
import type { CommonWorkflowOptions } from '../definitions/workflow-options.js';
import type { SearchAttributePair, SearchAttributes, TypedSearchAttributes } from '../payload/search-attributes.js';
import type { EventGroupMarker } from './event-groups.js';

/** Why the server suggests to continue as new. */
export const SuggestContinueAsNewReason = {
  HISTORY_SIZE_TOO_LARGE: 'HISTORY_SIZE_TOO_LARGE',
  TOO_MANY_HISTORY_EVENTS: 'TOO_MANY_HISTORY_EVENTS',
  TOO_MANY_UPDATES: 'TOO_MANY_UPDATES',
} as const;
export type SuggestContinueAsNewReason = (typeof SuggestContinueAsNewReason)[keyof typeof SuggestContinueAsNewReason];

/** What a workflow knows of itself. A frozen picture of the moment: call `workflowInfo()` again for what changes. */
export interface WorkflowInfo {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  /** @deprecated Use {@link typedSearchAttributes}. */
  readonly searchAttributes: SearchAttributes;
  readonly typedSearchAttributes: TypedSearchAttributes;
  readonly memo?: Record<string, unknown>;
  /** The workflow that started this one as a child. */
  readonly parent?: ParentWorkflowInfo;
  /** The topmost ancestor; absent when this workflow has no parent. */
  readonly root?: RootWorkflowInfo;
  /** Result of the previous run (cron, continue-as-new). */
  readonly lastResult?: unknown;
  /** Failure of the previous run (retry, cron). */
  readonly lastFailure?: Error;
  /** Events of the history up to the present task. Use it to decide when to continue as new. */
  readonly historyLength: number;
  /** Bytes of the history up to the present task. */
  readonly historySize: number;
  /** Whether the server suggests to continue as new. */
  readonly continueAsNewSuggested: boolean;
  /** Whether the version that a pinned run should move to has changed. */
  readonly targetWorkerDeploymentVersionChanged: boolean;
  readonly suggestedContinueAsNewReasons?: SuggestContinueAsNewReason[];
  readonly taskQueue: string;
  readonly namespace: string;
  /** First run of the chain. */
  readonly firstExecutionRunId: string;
  /** The run id at the start, which a reset keeps. */
  readonly originalExecutionRunId: string;
  readonly continuedFromExecutionRunId?: string;
  /** Start of the chain. */
  readonly startTime: Date;
  /** Start of this run. */
  readonly runStartTime: Date;
  readonly executionTimeoutMs?: number;
  readonly executionExpirationTime?: Date;
  readonly runTimeoutMs?: number;
  readonly taskTimeoutMs: number;
  readonly retryPolicy?: RetryPolicy;
  /** 1 for the first. */
  readonly attempt: number;
  readonly cronSchedule?: string;
  /** Milliseconds between cron runs. */
  readonly cronScheduleToScheduleInterval?: number;
  /** @deprecated Use {@link currentDeploymentVersion}. */
  readonly currentBuildId?: string;
  /** Version of the worker that executed the present task first. */
  readonly currentDeploymentVersion?: WorkerDeploymentVersion;
  readonly unsafe: UnsafeWorkflowInfo;
  readonly priority?: Priority;
}

/** Never decide anything in a workflow by these: they differ between execution and replay. */
export interface UnsafeWorkflowInfo {
  /** The machine's clock, milliseconds since 1970. */
  readonly now: () => number;
  readonly isReplaying: boolean;
  /** Like {@link isReplaying}, but false in queries and update validators, which are always live. */
  readonly isReplayingHistoryEvents: boolean;
  readonly random: UnsafeRandomSource;
}

/** Randomness that does not replay; for queries and update validators only. */
export interface UnsafeRandomSource {
  random(): number;
  uuid4(): string;
  fillRandom(bytes: Uint8Array): Uint8Array;
}

/** The update whose handler is executing. */
export interface UpdateInfo {
  readonly id: string;
  readonly name: string;
}

/** The workflow that started this one as its child. */
export interface ParentWorkflowInfo {
  workflowId: string;
  runId: string;
  namespace: string;
}

/** The first of the workflows that led to this one. */
export interface RootWorkflowInfo {
  workflowId: string;
  runId: string;
}

/** Thrown by `continueAsNew`: unwinds the workflow function. Exported for `instanceof` only. */
export class ContinueAsNew extends Error {
  /** @internal */
  constructor(
    readonly command: coresdk.workflow_commands.IContinueAsNewWorkflowExecution,
    readonly eventGroupMarkers?: coresdk.workflow_commands.IWorkflowCommand['eventGroupMarkers'],
  ) {
    super('Workflow continued as new');
  }
}
Object.defineProperty(ContinueAsNew.prototype, 'name', { value: 'ContinueAsNew', configurable: true, writable: true });

/** Options of the next run. What is left out is as in this one. */
export interface ContinueAsNewOptions {
  workflowType?: string;
  taskQueue?: string;
  workflowRunTimeout?: Duration;
  workflowTaskTimeout?: Duration;
  /** Delay before the next run's first task. */
  backoffStartInterval?: Duration;
  memo?: Record<string, unknown>;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes?: SearchAttributes;
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes;
  /** @deprecated Use worker deployments. */
  versioningIntent?: VersioningIntent;
  initialVersioningBehavior?: InitialVersioningBehavior;
  typeInfo?: Pick<PayloadTypeInfo, 'inputTypes'>;
  eventGroups?: EventGroupMarker[];
}

/** @deprecated Use worker deployments. */
export const VersioningIntent = { COMPATIBLE: 'COMPATIBLE', DEFAULT: 'DEFAULT' } as const;
export type VersioningIntent = (typeof VersioningIntent)[keyof typeof VersioningIntent];
export const [encodeVersioningIntent] = enumNames({ COMPATIBLE: 1, DEFAULT: 2 }, 'VERSIONING_INTENT_');

/** Whether cancelling the scope of a child reaches the child, and when the parent is told. */
export const ChildWorkflowCancellationType = {
  /** The child is not cancelled; the parent is told at once. */
  ABANDON: 'ABANDON',
  /** The child is asked to cancel; the parent is told at once. */
  TRY_CANCEL: 'TRY_CANCEL',
  /** The child is asked to cancel; the parent is told when the child has ended. Default. */
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
  /** The child is asked to cancel; the parent is told when the child knows. */
  WAIT_CANCELLATION_REQUESTED: 'WAIT_CANCELLATION_REQUESTED',
} as const;
export type ChildWorkflowCancellationType = (typeof ChildWorkflowCancellationType)[keyof typeof ChildWorkflowCancellationType];
export const [encodeChildWorkflowCancellationType] = enumNames(
  { ABANDON: 0, TRY_CANCEL: 1, WAIT_CANCELLATION_COMPLETED: 2, WAIT_CANCELLATION_REQUESTED: 3 },
  '',
);

/** What becomes of a child when its parent closes. */
export const ParentClosePolicy = {
  /** The child is terminated. Default. */
  TERMINATE: 'TERMINATE',
  /** The child goes on. */
  ABANDON: 'ABANDON',
  /** The child is asked to cancel. */
  REQUEST_CANCEL: 'REQUEST_CANCEL',
  /** @deprecated Use {@link TERMINATE}. */
  PARENT_CLOSE_POLICY_TERMINATE: 'TERMINATE',
  /** @deprecated Use {@link ABANDON}. */
  PARENT_CLOSE_POLICY_ABANDON: 'ABANDON',
  /** @deprecated Use {@link REQUEST_CANCEL}. */
  PARENT_CLOSE_POLICY_REQUEST_CANCEL: 'REQUEST_CANCEL',
} as const;
export type ParentClosePolicy = 'TERMINATE' | 'ABANDON' | 'REQUEST_CANCEL';
export const [encodeParentClosePolicy] = enumNames(
  { TERMINATE: 1, ABANDON: 2, REQUEST_CANCEL: 3 },
  'PARENT_CLOSE_POLICY_',
);

/** Options of a child workflow. */
export interface ChildWorkflowOptions extends Omit<CommonWorkflowOptions, 'workflowIdConflictPolicy'> {
  typeInfo?: PayloadTypeInfo;
  /** Default: a random id, the same in replay. */
  workflowId?: string;
  /** Default: the parent's. */
  taskQueue?: string;
  cancellationType?: ChildWorkflowCancellationType;
  parentClosePolicy?: ParentClosePolicy;
  /** @deprecated Use worker deployments. */
  versioningIntent?: VersioningIntent;
  eventGroups?: EventGroupMarker[];
}

export type RequiredChildWorkflowOptions = Required<Pick<ChildWorkflowOptions, 'workflowId' | 'cancellationType'>> & { args: unknown[] };
export type ChildWorkflowOptionsWithDefaults = ChildWorkflowOptions & RequiredChildWorkflowOptions;

/** The function that handles what a definition names. */
export type Handler<Ret, Args extends unknown[], T extends UpdateDefinition<Ret, Args> | SignalDefinition<Args> | QueryDefinition<Ret, Args>> =
  T extends UpdateDefinition<infer R, infer A>
    ? (...args: A) => R | Promise<R>
    : T extends SignalDefinition<infer A>
      ? (...args: A) => void | Promise<void>
      : T extends QueryDefinition<infer R, infer A>
        ? (...args: A) => R
        : never;

/** Handles signals that have no handler of their own. */
export type DefaultSignalHandler = (signalName: string, ...args: unknown[]) => void | Promise<void>;
/** Handles updates that have no handler of their own. */
export type DefaultUpdateHandler = (updateName: string, ...args: unknown[]) => Promise<unknown> | unknown;
/** Handles queries that have no handler of their own. */
export type DefaultQueryHandler = (queryName: string, ...args: unknown[]) => unknown;
/** The arguments of the updates that a definition names. */
export type UpdateArguments<T> = T extends UpdateDefinition<infer _Ret, infer Args> ? Args : never;
/** Rejects an update by throwing. Must not change anything. */
export type UpdateValidator<Args extends unknown[]> = (...args: Args) => void;

export type QueryHandlerOptions = { description?: string };
export type SignalHandlerOptions = { description?: string; unfinishedPolicy?: HandlerUnfinishedPolicy };
export type UpdateHandlerOptions<Args extends unknown[]> = {
  validator?: UpdateValidator<Args>;
  description?: string;
  unfinishedPolicy?: HandlerUnfinishedPolicy;
};

/** Who made a stack trace. */
export interface StackTraceSDKInfo {
  name: string;
  version: string;
}

/** A part of a source file. */
export interface StackTraceFileSlice {
  line_offset: number;
  content: string;
}

/** A place in a source file. */
export interface StackTraceFileLocation {
  file_path?: string;
  line?: number;
  column?: number;
  function_name?: string;
  /** Whether the place is in the SDK. */
  internal_code: boolean;
}

/** Where a workflow waits for one thing. */
export interface StackTrace {
  locations: StackTraceFileLocation[];
}

/** Answer of the query `__enhanced_stack_trace`. */
export interface EnhancedStackTrace {
  sdk: StackTraceSDKInfo;
  sources: Record<string, StackTraceFileSlice[]>;
  stacks: StackTrace[];
}
