/** Interceptors of workflow code: what comes in (start, signals, updates, queries) and what goes out (activities, timers, children …). */
import type { coresdk } from '@temporalio/proto';
import type { Timestamp } from '../definitions/api.js';
import type { Duration } from '../definitions/duration.js';
import type { Headers, Next } from '../definitions/interceptors.js';
import type { MetricTags } from '../definitions/metrics.js';
import type { PayloadTypeInfo, SignalTypeInfo, TypeInfo } from '../definitions/type-info.js';
import type { WorkflowExecution } from '../payload/failure.js';
import type { ActivityOptions, LocalActivityOptions } from './activity-options.js';
import type { EventGroupMarker } from './event-groups.js';
import type { ChildWorkflowOptionsWithDefaults, ContinueAsNewOptions } from './interfaces.js';

export type { Headers, Next };

/** What an interceptor module exports as `interceptors`; called once for each run. */
export type WorkflowInterceptorsFactory = () => WorkflowInterceptors;

/** Interceptors of one run, from the outside in. */
export interface WorkflowInterceptors {
  /** Around what reaches the workflow. */
  inbound?: WorkflowInboundCallsInterceptor[];
  /** Around what the workflow asks for. */
  outbound?: WorkflowOutboundCallsInterceptor[];
  /** Around the worker's calls into workflow code; for tools. */
  internals?: WorkflowInternalsInterceptor[];
}

/** Wraps what reaches a workflow. */
export interface WorkflowInboundCallsInterceptor {
  /** The workflow function is called. */
  execute?: (input: WorkflowExecuteInput, next: Next<WorkflowInboundCallsInterceptor, 'execute'>) => Promise<unknown>;
  /** An update handler is called. */
  handleUpdate?: (input: UpdateInput, next: Next<WorkflowInboundCallsInterceptor, 'handleUpdate'>) => Promise<unknown>;
  /** The validator of an update is called. */
  validateUpdate?: (input: UpdateInput, next: Next<WorkflowInboundCallsInterceptor, 'validateUpdate'>) => void;
  /** A signal handler is called. */
  handleSignal?: (input: SignalInput, next: Next<WorkflowInboundCallsInterceptor, 'handleSignal'>) => Promise<void>;
  /** A query handler is called. */
  handleQuery?: (input: QueryInput, next: Next<WorkflowInboundCallsInterceptor, 'handleQuery'>) => Promise<unknown>;
}

/** The call of the workflow function: its `args`, converted, and the `headers` that the start carried. */
export interface WorkflowExecuteInput {
  readonly args: unknown[];
  readonly headers: Headers;
}

/** An update that came in: `updateId`, `name`, `args` (converted anew for validator and handler) and the `headers` that it carried. */
export interface UpdateInput {
  readonly updateId: string;
  readonly name: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

/** A signal that came in: `signalName`, `args`, converted, and the `headers` that it carried. */
export interface SignalInput {
  readonly signalName: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

/** A query that came in: `queryName`, `args`, converted, and the `headers` that it carried. `queryId` names it within its workflow task. */
export interface QueryInput {
  readonly queryId: string;
  readonly queryName: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

/** Wraps what a workflow asks for. */
export interface WorkflowOutboundCallsInterceptor {
  /** A timer is started. */
  startTimer?: (input: TimerInput, next: Next<WorkflowOutboundCallsInterceptor, 'startTimer'>) => Promise<void>;
  /** An activity is scheduled. */
  scheduleActivity?: (input: ActivityInput, next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>) => Promise<unknown>;
  /** A local activity is scheduled. */
  scheduleLocalActivity?: (
    input: LocalActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleLocalActivity'>,
  ) => Promise<unknown>;
  /** A Nexus operation is started. */
  startNexusOperation?: (
    input: StartNexusOperationInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'startNexusOperation'>,
  ) => Promise<StartNexusOperationOutput>;
  /** Resolves with two promises: the run id when the child has started, and its result. */
  startChildWorkflowExecution?: (
    input: StartChildWorkflowExecutionInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'startChildWorkflowExecution'>,
  ) => Promise<[Promise<string>, Promise<unknown>]>;
  /** Another workflow is signalled. */
  signalWorkflow?: (input: SignalWorkflowInput, next: Next<WorkflowOutboundCallsInterceptor, 'signalWorkflow'>) => Promise<void>;
  /** The workflow ends and begins anew. */
  continueAsNew?: (input: ContinueAsNewInput, next: Next<WorkflowOutboundCallsInterceptor, 'continueAsNew'>) => Promise<never>;
  /** Attributes for every log entry of the workflow. */
  getLogAttributes?: (
    input: GetLogAttributesInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'getLogAttributes'>,
  ) => Record<string, unknown>;
  /** Tags for every metric value of the workflow. */
  getMetricTags?: (input: GetMetricTagsInput, next: Next<WorkflowOutboundCallsInterceptor, 'getMetricTags'>) => MetricTags;
}

/** A timer that workflow code starts. */
export interface TimerInput {
  /** At least 1. */
  readonly durationMs: number;
  /** Number of the timer in the run, from 1. */
  readonly seq: number;
  /** As given to `sleep`. */
  readonly options?: TimerOptions;
}

/** Options of a timer. */
export interface TimerOptions {
  /** One line for people. */
  readonly summary?: string;
  /** Groups that tools show the timer in, besides those of the scopes around. */
  readonly eventGroups?: EventGroupMarker[];
}

/** An activity that workflow code schedules: `activityType`, `args` not yet converted, and `headers`, empty at first, for the activity. */
export interface ActivityInput {
  readonly activityType: string;
  readonly args: unknown[];
  /** Those of `proxyActivities`, with what the call itself gives laid over them. */
  readonly options: ActivityOptions;
  readonly headers: Headers;
  /** Number of the activity in the run, from 1; local ones count too. */
  readonly seq: number;
  /** How arguments and result are converted. */
  readonly typeInfo?: PayloadTypeInfo;
}

/** A local activity that workflow code schedules: `activityType`, `args` not yet converted, and `headers`, empty at first, for the activity. */
export interface LocalActivityInput {
  readonly activityType: string;
  readonly args: unknown[];
  /** Those of `proxyLocalActivities`, with what the call itself gives laid over them. */
  readonly options: LocalActivityOptions;
  readonly headers: Headers;
  /** Number of the activity in the run, from 1; a new one after each pause that a durable timer waits for. */
  readonly seq: number;
  /** When it was scheduled first; absent until a durable timer has waited for an attempt. */
  readonly originalScheduleTime?: Timestamp;
  /** The attempt that this begins with, 1 at first: more after a pause that a durable timer waited for. */
  readonly attempt: number;
  /** How arguments and result are converted. */
  readonly typeInfo?: PayloadTypeInfo;
}

/**
 * A Nexus operation: `operation` of a `service` behind an `endpoint`, with its `input`, `options`, `headers`, `seq`, `inputType` and `outputType`.
 * No call reaches it, as Nexus is not offered: it lets interceptors be ported.
 */
export interface StartNexusOperationInput {
  readonly input: unknown;
  readonly inputType?: TypeInfo;
  readonly outputType?: TypeInfo;
  readonly endpoint: string;
  readonly service: string;
  readonly options: StartNexusOperationOptions;
  readonly operation: string;
  readonly seq: number;
  readonly headers: Record<string, string>;
}

/**
 * Options of a Nexus operation: `scheduleToCloseTimeout`, `scheduleToStartTimeout`, `startToCloseTimeout`, `cancellationType`, `summary`, `eventGroups`.
 * As Nexus is not offered, nothing reads them.
 */
export interface StartNexusOperationOptions {
  readonly scheduleToCloseTimeout?: Duration;
  readonly scheduleToStartTimeout?: Duration;
  readonly startToCloseTimeout?: Duration;
  readonly cancellationType?: 'ABANDON' | 'TRY_CANCEL' | 'WAIT_REQUESTED' | 'WAIT_COMPLETED';
  readonly summary?: string;
  readonly eventGroups?: EventGroupMarker[];
}

/** A Nexus operation that was started. */
export interface StartNexusOperationOutput {
  /** Absent when the operation completed synchronously. */
  readonly token?: string;
  /** Settles with the operation. */
  readonly result: Promise<unknown>;
}

/** A child that workflow code starts: `workflowType`, and `headers`, empty at first, for the child. */
export interface StartChildWorkflowExecutionInput {
  readonly workflowType: string;
  /** With the child's arguments, not yet converted, as `args`. */
  readonly options: ChildWorkflowOptionsWithDefaults;
  readonly headers: Headers;
  /** Number of the child in the run, from 1. */
  readonly seq: number;
}

/** A signal to another workflow: `signalName`, `args` not yet converted, and `headers`, empty at first, for its handler. */
export interface SignalWorkflowInput {
  /** Number of the sent signal in the run, from 1. */
  readonly seq: number;
  readonly signalName: string;
  readonly args: unknown[];
  /** How the arguments are converted. */
  readonly typeInfo?: SignalTypeInfo;
  readonly headers: Headers;
  /** A child by its id, `childWorkflowId`, or any workflow of the namespace by `workflowExecution`, without `runId` its latest run. */
  readonly target:
    | { readonly type: 'external'; readonly workflowExecution: WorkflowExecution }
    | { readonly type: 'child'; readonly childWorkflowId: string };
}

/** What the next run begins with: `args` not yet converted, `options`, and `headers`, empty at first, for the workflow. */
export interface ContinueAsNewInput {
  readonly args: unknown[];
  readonly headers: Headers;
  readonly options: ContinueAsNewInputOptions;
}

/** Options of the next run. */
export type ContinueAsNewInputOptions = ContinueAsNewOptions & Required<Pick<ContinueAsNewOptions, 'workflowType'>>;
/** Attributes of a log entry, to be added to. */
export type GetLogAttributesInput = Record<string, unknown>;
/** Tags of a metric, to be added to. */
export type GetMetricTagsInput = MetricTags;

/** Wraps the activations of workflow code themselves. For tools; may change. */
export interface WorkflowInternalsInterceptor {
  /** Workflow code is woken. Not for applications. */
  activate?(input: ActivateInput, next: Next<this, 'activate'>): void;
  /** May change the commands. */
  concludeActivation?(input: ConcludeActivationInput, next: Next<this, 'concludeActivation'>): ConcludeActivationOutput;
  /** The run leaves this worker. Not for applications. */
  dispose?(input: DisposeInput, next: Next<this, 'dispose'>): void;
}

/** An activation of workflow code by the worker. Not for applications. */
export interface ActivateInput {
  /** With the jobs of this batch only. */
  readonly activation: coresdk.workflow_activation.IWorkflowActivation;
  /** From 0: in histories of older SDKs signals are a batch of their own, before all else. */
  readonly batchIndex: number;
}
/** The end of a run on this worker. Not for applications. */
export type DisposeInput = Record<never, never>;
/** What an activation came to. Not for applications. */
export interface ConcludeActivationInput {
  /** In the order in which the code issued them. */
  readonly commands: coresdk.workflow_commands.IWorkflowCommand[];
}
/** What an activation came to. Not for applications. */
export type ConcludeActivationOutput = ConcludeActivationInput;
