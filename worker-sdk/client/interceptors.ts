/** Hooks around a client's calls: each method gets the call's input and the next hook, the last being the call itself. */
import type { temporal } from '../definitions/api.js';
import type { Headers, Next } from '../definitions/interceptors.js';
import type { PayloadTypeInfo, SignalTypeInfo, TypeInfo } from '../definitions/type-info.js';
import type { ScheduleClientInterceptor } from './schedule-types.js';
import type {
  DescribeWorkflowExecutionResponse,
  RequestCancelWorkflowExecutionResponse,
  TerminateWorkflowExecutionResponse,
  WorkflowExecution,
} from './types.js';
import type { CompiledWorkflowOptions, WorkflowUpdateOptions } from './workflow-options.js';

export type { Headers, Next };

/** Input of {@link WorkflowClientInterceptor.start}. */
export interface WorkflowStartInput {
  /** The name that the start carries: that of the function, where one was given. */
  readonly workflowType: string;
  /** Empty at first: what is put in reaches the workflow's interceptors. */
  readonly headers: Headers;
  /** As given to the call, durations and overrides in the API's form, arguments not yet converted. */
  readonly options: CompiledWorkflowOptions;
}

/** Output of {@link WorkflowClientInterceptor.startWithDetails}. */
export interface WorkflowStartOutput {
  /** The run that was started, or found with `workflowIdConflictPolicy: 'USE_EXISTING'`. */
  readonly runId: string;
  /** Whether the first task came with the start to a worker of this process. */
  readonly eagerlyStarted: boolean;
}

/** Input of {@link WorkflowClientInterceptor.startUpdate}: `updateName`, `args` not yet converted, and the `options` of the call. */
export interface WorkflowStartUpdateInput {
  readonly updateName: string;
  readonly args: unknown[];
  /** How arguments and result are converted. */
  readonly typeInfo?: PayloadTypeInfo;
  /** Whom the update goes to; without `runId` the latest run. */
  readonly workflowExecution: WorkflowExecution;
  /** The server refuses a workflow whose chain began with another run. */
  readonly firstExecutionRunId?: string;
  /** Empty at first: what is put in reaches the interceptors of the update's handler. */
  readonly headers: Headers;
  readonly options: WorkflowUpdateOptions;
}

/** Output of {@link WorkflowClientInterceptor.startUpdate}. */
export interface WorkflowStartUpdateOutput {
  /** The one given, or the UUID that was made. */
  readonly updateId: string;
  /** The run that has the update; empty when the server did not say. */
  readonly workflowRunId: string;
  /** Set when the update has completed already. */
  readonly outcome?: temporal.api.update.v1.IOutcome;
  /** How the result will be converted. */
  readonly outputTypeInfo?: TypeInfo;
}

/**
 * Input of {@link WorkflowClientInterceptor.startUpdateWithStart}: the start (`workflowType`, `workflowStartOptions`)
 * and the update (`updateName`, `updateArgs`, `updateOptions`), arguments not yet converted.
 */
export interface WorkflowStartUpdateWithStartInput {
  readonly workflowType: string;
  readonly workflowStartOptions: CompiledWorkflowOptions;
  /** Empty at first: what is put in reaches the workflow's interceptors. */
  readonly workflowStartHeaders: Headers;
  readonly updateName: string;
  readonly updateArgs: unknown[];
  /** How the update's arguments and result are converted. */
  readonly updateTypeInfo?: PayloadTypeInfo;
  readonly updateOptions: WorkflowUpdateOptions;
  /** Empty at first: what is put in reaches the interceptors of the update's handler. */
  readonly updateHeaders: Headers;
}

/** Output of {@link WorkflowClientInterceptor.startUpdateWithStart}. */
export interface WorkflowStartUpdateWithStartOutput {
  /** The run that was started, or found. */
  readonly workflowExecution: WorkflowExecution;
  /** The one given, or the UUID that was made. */
  readonly updateId: string;
  /** Set when the update has completed already. */
  readonly updateOutcome?: temporal.api.update.v1.IOutcome;
  /** How the result will be converted. */
  readonly updateOutputTypeInfo?: TypeInfo;
}

/** Input of {@link WorkflowClientInterceptor.signal}: `signalName`, and `args` not yet converted. */
export interface WorkflowSignalInput {
  readonly signalName: string;
  readonly args: unknown[];
  /** How the arguments are converted. */
  readonly typeInfo?: SignalTypeInfo;
  /** Whom the signal goes to; without `runId` the latest run. */
  readonly workflowExecution: WorkflowExecution;
  /** Empty at first: what is put in reaches the interceptors of the signal's handler. */
  readonly headers: Headers;
}

/** Input of {@link WorkflowClientInterceptor.signalWithStart}: `workflowType`, `signalName`, and `signalArgs` not yet converted. */
export interface WorkflowSignalWithStartInput {
  readonly workflowType: string;
  readonly signalName: string;
  readonly signalArgs: unknown[];
  /** How the signal's arguments are converted. */
  readonly signalTypeInfo?: SignalTypeInfo;
  /** Empty at first: what is put in reaches the interceptors of the workflow and of the signal's handler. */
  readonly headers: Headers;
  /** Of the start: durations and overrides in the API's form, arguments not yet converted. */
  readonly options: CompiledWorkflowOptions;
}

/** Input of {@link WorkflowClientInterceptor.query}: `queryType` is the query's name; `args` are not yet converted. */
export interface WorkflowQueryInput {
  readonly queryType: string;
  readonly args: unknown[];
  /** How arguments and result are converted. */
  readonly typeInfo?: PayloadTypeInfo;
  /** Whom the query goes to; without `runId` the latest run. */
  readonly workflowExecution: WorkflowExecution;
  /** As the client was told, the API's number; 1 (NONE) for never, which is the default. */
  readonly queryRejectCondition?: temporal.api.enums.v1.QueryRejectCondition;
  /** Empty at first: what is put in reaches the interceptors of the query's handler. */
  readonly headers: Headers;
}

/** Input of {@link WorkflowClientInterceptor.terminate}. */
export interface WorkflowTerminateInput {
  /** Which workflow; without `runId` its latest run. */
  readonly workflowExecution: WorkflowExecution;
  /** Recorded with the run's last event. */
  readonly reason?: string;
  /** Recorded with the run's last event, not yet converted. Handles give none. */
  readonly details?: unknown[];
  /** The server refuses a workflow whose chain began with another run. */
  readonly firstExecutionRunId?: string;
}

/** Input of {@link WorkflowClientInterceptor.cancel}. */
export interface WorkflowCancelInput {
  /** Which workflow; without `runId` its latest run. */
  readonly workflowExecution: WorkflowExecution;
  /** The server refuses a workflow whose chain began with another run. */
  readonly firstExecutionRunId?: string;
}

/** Input of {@link WorkflowClientInterceptor.describe}. */
export interface WorkflowDescribeInput {
  /** Which workflow; without `runId` its latest run. */
  readonly workflowExecution: WorkflowExecution;
}

/** Implement any of these to intercept a client's calls on workflows. */
export interface WorkflowClientInterceptor {
  /** Around a start; the run id is all that is known. Ignored where {@link startWithDetails} is there too. */
  start?: (input: WorkflowStartInput, next: Next<this, 'start'>) => Promise<string>;
  /** Around a start. */
  startWithDetails?: (input: WorkflowStartInput, next: Next<this, 'startWithDetails'>) => Promise<WorkflowStartOutput>;
  /** An update is sent. */
  startUpdate?: (input: WorkflowStartUpdateInput, next: Next<this, 'startUpdate'>) => Promise<WorkflowStartUpdateOutput>;
  /** An update is sent to a workflow that is started if need be. */
  startUpdateWithStart?: (
    input: WorkflowStartUpdateWithStartInput,
    next: Next<this, 'startUpdateWithStart'>,
  ) => Promise<WorkflowStartUpdateWithStartOutput>;
  /** A signal is sent. */
  signal?: (input: WorkflowSignalInput, next: Next<this, 'signal'>) => Promise<void>;
  /** A signal is sent to a workflow that is started if need be. */
  signalWithStart?: (input: WorkflowSignalWithStartInput, next: Next<this, 'signalWithStart'>) => Promise<string>;
  /** A workflow is asked. */
  query?: (input: WorkflowQueryInput, next: Next<this, 'query'>) => Promise<unknown>;
  /** A workflow is ended by force. */
  terminate?: (input: WorkflowTerminateInput, next: Next<this, 'terminate'>) => Promise<TerminateWorkflowExecutionResponse>;
  /** A workflow is asked to cancel itself. */
  cancel?: (input: WorkflowCancelInput, next: Next<this, 'cancel'>) => Promise<RequestCancelWorkflowExecutionResponse>;
  /** A workflow is described. */
  describe?: (input: WorkflowDescribeInput, next: Next<this, 'describe'>) => Promise<DescribeWorkflowExecutionResponse>;
}

/** Interceptors of a {@link Client}, by what they intercept. */
export interface ClientInterceptors {
  /** Around calls of {@link Client.workflow} and of its handles; the first is the outermost. */
  workflow?: WorkflowClientInterceptor[];
  /** Around calls of {@link Client.schedule}; the first is the outermost. */
  schedule?: ScheduleClientInterceptor[];
}

/** An interceptor of the older form (`start`) as one of the newer (`startWithDetails`). */
export function adaptStartInterceptor(interceptor: WorkflowClientInterceptor): WorkflowClientInterceptor {
  const { start } = interceptor;
  if (!start || interceptor.startWithDetails) return interceptor;
  return {
    startWithDetails: async (input, next) => {
      let eagerlyStarted = false;
      const runId = await start.call(interceptor, input, async (inner) => {
        const output = await next(inner);
        eagerlyStarted = output.eagerlyStarted;
        return output.runId;
      });
      return { runId, eagerlyStarted };
    },
  };
}
