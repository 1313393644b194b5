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
  inbound?: WorkflowInboundCallsInterceptor[];
  outbound?: WorkflowOutboundCallsInterceptor[];
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

/** The call of the workflow function. */
export interface WorkflowExecuteInput {
  readonly args: unknown[];
  readonly headers: Headers;
}

/** An update that came in. */
export interface UpdateInput {
  readonly updateId: string;
  readonly name: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

/** A signal that came in. */
export interface SignalInput {
  readonly signalName: string;
  readonly args: unknown[];
  readonly headers: Headers;
}

/** A query that came in. */
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
  readonly durationMs: number;
  readonly seq: number;
  readonly options?: TimerOptions;
}

/** Options of a timer. */
export interface TimerOptions {
  /** One line for people. */
  readonly summary?: string;
  readonly eventGroups?: EventGroupMarker[];
}

/** An activity that workflow code schedules. */
export interface ActivityInput {
  readonly activityType: string;
  readonly args: unknown[];
  readonly options: ActivityOptions;
  readonly headers: Headers;
  readonly seq: number;
  readonly typeInfo?: PayloadTypeInfo;
}

/** A local activity that workflow code schedules. */
export interface LocalActivityInput {
  readonly activityType: string;
  readonly args: unknown[];
  readonly options: LocalActivityOptions;
  readonly headers: Headers;
  readonly seq: number;
  readonly originalScheduleTime?: Timestamp;
  readonly attempt: number;
  readonly typeInfo?: PayloadTypeInfo;
}

/** A Nexus operation that workflow code starts. */
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

/** Options of a Nexus operation. */
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
  readonly result: Promise<unknown>;
}

/** A child workflow that workflow code starts. */
export interface StartChildWorkflowExecutionInput {
  readonly workflowType: string;
  readonly options: ChildWorkflowOptionsWithDefaults;
  readonly headers: Headers;
  readonly seq: number;
}

/** A signal that workflow code sends to another workflow. */
export interface SignalWorkflowInput {
  readonly seq: number;
  readonly signalName: string;
  readonly args: unknown[];
  readonly typeInfo?: SignalTypeInfo;
  readonly headers: Headers;
  readonly target:
    | { readonly type: 'external'; readonly workflowExecution: WorkflowExecution }
    | { readonly type: 'child'; readonly childWorkflowId: string };
}

/** What the next run of a workflow begins with. */
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
  readonly activation: coresdk.workflow_activation.IWorkflowActivation;
  readonly batchIndex: number;
}
/** The end of a run on this worker. Not for applications. */
export type DisposeInput = Record<never, never>;
/** What an activation came to. Not for applications. */
export interface ConcludeActivationInput {
  readonly commands: coresdk.workflow_commands.IWorkflowCommand[];
}
/** What an activation came to. Not for applications. */
export type ConcludeActivationOutput = ConcludeActivationInput;
