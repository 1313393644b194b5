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
  /** Chosen by whoever started the workflow; all runs of the chain have the same one. */
  readonly workflowId: string;
  /** UUID of this run. A reset, a retry, cron and continue-as-new each begin a run of another id. */
  readonly runId: string;
  /** The name that the workflow was started by: as a rule that of the function. */
  readonly workflowType: string;
  /** @deprecated Use {@link typedSearchAttributes}. */
  readonly searchAttributes: SearchAttributes;
  /** As given at the start, with the changes of `upsertSearchAttributes` since. */
  readonly typedSearchAttributes: TypedSearchAttributes;
  /** As given at the start, with the changes of `upsertMemo` since; `{}` for none. */
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
  /** Why, if {@link continueAsNewSuggested}; absent when the server gives no reason. */
  readonly suggestedContinueAsNewReasons?: SuggestContinueAsNewReason[];
  /** The queue of the worker that executes the run, and the default of activities and children. */
  readonly taskQueue: string;
  /** Namespace of the worker, and so of the run. */
  readonly namespace: string;
  /** First run of the chain. */
  readonly firstExecutionRunId: string;
  /** The run id at the start, which a reset keeps. */
  readonly originalExecutionRunId: string;
  /** The run before this one in the chain; absent in the first. */
  readonly continuedFromExecutionRunId?: string;
  /** Time of this run's first event, before a start delay or a pause of retry or cron. No event tells a run when its chain began. */
  readonly startTime: Date;
  /** The same as {@link startTime}; both names are the field's. */
  readonly runStartTime: Date;
  /** Limit of the whole chain; absent when there is none. */
  readonly executionTimeoutMs?: number;
  /** When the chain is over by {@link executionTimeoutMs}; absent without one. */
  readonly executionExpirationTime?: Date;
  /** Limit of this run; absent when there is none. */
  readonly runTimeoutMs?: number;
  /** Limit of one workflow task; 10,000 unless the start says otherwise. */
  readonly taskTimeoutMs: number;
  /** How a failed run is followed by another; absent when it is not. */
  readonly retryPolicy?: RetryPolicy;
  /** 1 for the first. */
  readonly attempt: number;
  /** The expression given at the start; absent without one. Schedules do not set it. */
  readonly cronSchedule?: string;
  /** Milliseconds between cron runs. */
  readonly cronScheduleToScheduleInterval?: number;
  /** @deprecated Use {@link currentDeploymentVersion}. */
  readonly currentBuildId?: string;
  /** Version of the worker that executed the present task first. */
  readonly currentDeploymentVersion?: WorkerDeploymentVersion;
  /** What is not the same in replay: for logs, metrics and tools. */
  readonly unsafe: UnsafeWorkflowInfo;
  /** Of this run's workflow tasks, and the default of its activities and children; absent when none was given. */
  readonly priority?: Priority;
}

/** Never decide anything in a workflow by these: they differ between execution and replay. */
export interface UnsafeWorkflowInfo {
  /** The machine's clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Whether the code repeats what history holds. True in queries too. */
  readonly isReplaying: boolean;
  /** Like {@link isReplaying}, but false in queries and update validators, which are always live. */
  readonly isReplayingHistoryEvents: boolean;
  /** Real randomness, apart from the workflow's own. */
  readonly random: UnsafeRandomSource;
}

/** Randomness that does not replay; for queries and update validators only. */
export interface UnsafeRandomSource {
  /** A number in [0, 1). */
  random(): number;
  /** A UUID, version 4. */
  uuid4(): string;
  /** Fills the array, which is also the answer. */
  fillRandom(bytes: Uint8Array): Uint8Array;
}

/** The update whose handler is executing. */
export interface UpdateInfo {
  /** Chosen by the client, or made by its SDK: the same id is executed once. */
  readonly id: string;
  /** The name that the update was sent by, also where a default handler takes it. */
  readonly name: string;
}

/** The workflow that started this one as its child: its `workflowId`, the `runId` of the run that did, and its `namespace`. */
export interface ParentWorkflowInfo {
  workflowId: string;
  runId: string;
  namespace: string;
}

/** The first of the workflows that led to this one: its `workflowId` and the `runId` of the run that did. */
export interface RootWorkflowInfo {
  workflowId: string;
  runId: string;
}

/** Thrown by `continueAsNew`: unwinds the workflow function. Exported for `instanceof` only; `command` and `eventGroupMarkers` are the SDK's. */
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
  /** Name of another workflow to go on with, under the same id. */
  workflowType?: string;
  /** The queue whose workers run the next run. */
  taskQueue?: string;
  /** Longest time of the next run; the limit of the whole chain stays as it is. */
  workflowRunTimeout?: Duration;
  /** Longest time of one workflow task of the next run. */
  workflowTaskTimeout?: Duration;
  /** Delay before the next run's first task. */
  backoffStartInterval?: Duration;
  /** Replaces all of the memo. Left out, changes made by `upsertMemo` are kept too. */
  memo?: Record<string, unknown>;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes?: SearchAttributes;
  /** Replace all search attributes. Left out, changes made by `upsertSearchAttributes` are kept too. */
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes;
  /** @deprecated Use worker deployments. */
  versioningIntent?: VersioningIntent;
  /** The worker version that the next run begins on. Default: as its versioning behaviour says. */
  initialVersioningBehavior?: InitialVersioningBehavior;
  /** How the arguments are converted. Default: as those of this workflow, if {@link workflowType} is the same. */
  typeInfo?: Pick<PayloadTypeInfo, 'inputTypes'>;
  /** Groups that tools show the event in, besides those of the scopes around. */
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
  /** How arguments and result are converted. Default: what is attached to the function, where one is given. */
  typeInfo?: PayloadTypeInfo;
  /** Default: a random id, the same in replay. */
  workflowId?: string;
  /** Default: the parent's. */
  taskQueue?: string;
  /** Default `WAIT_CANCELLATION_COMPLETED`. */
  cancellationType?: ChildWorkflowCancellationType;
  /** Default `TERMINATE`. */
  parentClosePolicy?: ParentClosePolicy;
  /** @deprecated Use worker deployments. */
  versioningIntent?: VersioningIntent;
  /** Groups that tools show the child's events in, besides those of the scopes around. */
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
