/** A handle on one workflow: everything one can do with it, typed by the workflow function. */
import type { History } from '../definitions/api.js';
import { composeInterceptors } from '../definitions/interceptors.js';
import type { PayloadTypeInfo, TypeInfo } from '../definitions/type-info.js';
import type {
  BaseWorkflowHandle,
  QueryDefinition,
  SignalDefinition,
  UpdateDefinition,
  Workflow,
  WorkflowQueryOptions,
  WorkflowResultType,
  WorkflowSignalOptions,
} from '../definitions/workflow.js';
import { executionDescription } from './execution-info.js';
import type { WorkflowClientInterceptor, WorkflowStartUpdateInput } from './interceptors.js';
import type { RpcContext } from './rpc-context.js';
import type {
  QueryRejectCondition,
  RequestCancelWorkflowExecutionResponse,
  TerminateWorkflowExecutionResponse,
  WorkflowExecutionDescription,
} from './types.js';
import { encodeQueryRejectCondition, WorkflowUpdateStage } from './types.js';
import { pollUpdateOutcome, startUpdate, updateResult } from './update-workflow.js';
import {
  cancelWorkflow,
  describeWorkflow,
  fetchWorkflowHistory,
  queryWorkflow,
  signalWorkflow,
  terminateWorkflow,
} from './workflow-calls.js';
import type { WorkflowClient } from './workflow-client.js';
import type { WorkflowUpdateOptions } from './workflow-options.js';
import { workflowResult } from './workflow-result.js';

// biome-ignore-start lint/suspicious/noExplicitAny: arguments of user functions; unknown would refuse every definition with parameters.

/** A handle on a workflow, from {@link WorkflowClient.start} or {@link WorkflowClient.getHandle}. */
export interface WorkflowHandle<T extends Workflow = Workflow> extends BaseWorkflowHandle<T> {
  /**
   * Sends an update and waits for its result.
   * @throws WorkflowUpdateFailedError when it is rejected or fails; WorkflowUpdateRPCTimeoutOrCancelledError.
   */
  executeUpdate<Ret, Args extends [unknown, ...unknown[]], Name extends string = string>(
    def: UpdateDefinition<Ret, Args, Name> | string,
    options: WorkflowUpdateOptions & { args: Args },
  ): Promise<Ret>;
  executeUpdate<Ret, Args extends [], Name extends string = string>(
    def: UpdateDefinition<Ret, Args, Name> | string,
    options?: WorkflowUpdateOptions & { args?: Args },
  ): Promise<Ret>;
  /** Sends an update and waits until the workflow has accepted it. */
  startUpdate<Ret, Args extends [unknown, ...unknown[]], Name extends string = string>(
    def: UpdateDefinition<Ret, Args, Name> | string,
    options: WorkflowUpdateOptions & { args: Args; waitForStage: 'ACCEPTED' },
  ): Promise<WorkflowUpdateHandle<Ret>>;
  startUpdate<Ret, Args extends [], Name extends string = string>(
    def: UpdateDefinition<Ret, Args, Name> | string,
    options: WorkflowUpdateOptions & { args?: Args; waitForStage: 'ACCEPTED' },
  ): Promise<WorkflowUpdateHandle<Ret>>;
  /** A handle on an update that was sent before. */
  getUpdateHandle<Ret>(updateId: string, options?: GetWorkflowUpdateHandleOptions): WorkflowUpdateHandle<Ret>;
  /** Asks a query handler of the workflow; it sees every event that was acknowledged before. */
  query<Ret, Args extends unknown[] = []>(def: QueryDefinition<Ret, Args> | string, ...args: Args): Promise<Ret>;
  /** Asks a query handler by name, with conversion options. */
  queryWithOptions<Ret, Args extends unknown[] = []>(queryName: string, options: WorkflowQueryOptions<Args>): Promise<Ret>;
  /** Ends the workflow at once, without asking its code. */
  terminate(reason?: string): Promise<TerminateWorkflowExecutionResponse>;
  /** Requests cancellation: the workflow's code decides what to do about it. */
  cancel(): Promise<RequestCancelWorkflowExecutionResponse>;
  /** What the server knows of the workflow now. @throws WorkflowNotFoundError */
  describe(): Promise<WorkflowExecutionDescription>;
  /** All events so far. */
  fetchHistory(): Promise<History>;
  /** The one that made the handle. */
  readonly client: WorkflowClient;
}

// biome-ignore-end lint/suspicious/noExplicitAny: the handle's interface ends here.

/** A handle that knows the first run of the workflow's chain. */
export interface WorkflowHandleWithFirstExecutionRunId<T extends Workflow = Workflow> extends WorkflowHandle<T> {
  /** With it `cancel`, `terminate` and updates do not reach another workflow that has taken the id since. */
  readonly firstExecutionRunId: string;
}

/** A handle from a start. */
export interface WorkflowHandleWithStartDetails<T extends Workflow = Workflow> extends WorkflowHandleWithFirstExecutionRunId<T> {
  /** Whether the first task came with the start to a worker of this process. */
  readonly eagerlyStarted: boolean;
}

/** A handle from {@link WorkflowClient.signalWithStart}. */
export interface WorkflowHandleWithSignaledRunId<T extends Workflow = Workflow> extends WorkflowHandle<T> {
  /** The run that got the signal. */
  readonly signaledRunId: string;
}

/** A handle on an update. */
export interface WorkflowUpdateHandle<Ret> {
  /** The one given with the update, or the UUID that was made. */
  updateId: string;
  /** Of the workflow that has the update. */
  workflowId: string;
  /** The run that has the update; absent or empty where it is not known. */
  workflowRunId?: string;
  /** Waits for the update's result. */
  result(): Promise<Ret>;
}

/** Options of {@link WorkflowHandle.getUpdateHandle}. */
export interface GetWorkflowUpdateHandleOptions {
  /** Default: the run of the workflow's handle; without one, the latest. */
  workflowRunId?: string;
  /** How the result is converted. */
  typeInfo?: Pick<PayloadTypeInfo, 'outputType'>;
}

/** How {@link WorkflowHandle.result} behaves. */
export interface WorkflowResultOptions {
  /** Go on to the next run after continue-as-new, cron or retry. Default true. */
  followRuns?: boolean;
  /** How the result is converted; its `inputTypes` are not used here. */
  typeInfo?: PayloadTypeInfo;
}

/** Options of {@link WorkflowClient.getHandle}. */
export interface GetWorkflowHandleOptions extends WorkflowResultOptions {
  /** Refuse to touch a workflow of this id whose chain began with another run. */
  firstExecutionRunId?: string;
}

/** What a handle is bound to. */
export interface WorkflowHandleTarget extends GetWorkflowHandleOptions {
  workflowId: string;
  /** The run that calls go to; undefined for the latest. */
  runId?: string;
  /** The run whose result is awaited. */
  runIdForResult?: string;
}

/** What a handle needs of its client. */
export interface WorkflowHandleDeps {
  ctx: RpcContext;
  client: WorkflowClient;
  interceptors: WorkflowClientInterceptor[];
  queryRejectCondition: QueryRejectCondition | undefined;
}

type UpdateArgs = WorkflowUpdateOptions & { args?: unknown[] };

/** Makes a handle. */
export function makeWorkflowHandle<T extends Workflow>(deps: WorkflowHandleDeps, target: WorkflowHandleTarget): WorkflowHandle<T> {
  const { ctx, client, interceptors } = deps;
  const { workflowId, runId, firstExecutionRunId, runIdForResult, followRuns = true, typeInfo } = target;
  const workflowExecution = { workflowId, runId };
  const nameOf = (def: { name: string } | string) => (typeof def === 'string' ? def : def.name);
  const typeInfoOf = <I>(def: { typeInfo?: I } | string): I | undefined => (typeof def === 'string' ? undefined : def.typeInfo);

  const sendUpdate = async (def: UpdateDefinition<unknown, unknown[]> | string, stage: WorkflowUpdateStage, options: UpdateArgs = {}) => {
    const next = composeInterceptors(interceptors, 'startUpdate', (input: WorkflowStartUpdateInput) => startUpdate(ctx, input, stage));
    const output = await next({
      workflowExecution,
      firstExecutionRunId,
      updateName: nameOf(def),
      args: options.args ?? [],
      typeInfo: options.typeInfo ?? typeInfoOf(def),
      headers: {},
      options,
    });
    return makeUpdateHandle(ctx, { ...output, workflowId });
  };
  const sendSignal = (signalName: string, args: unknown[], signalTypeInfo?: SignalDefinition['typeInfo']) => {
    const next = composeInterceptors(interceptors, 'signal', (input) => signalWorkflow(ctx, input));
    return next({ workflowExecution, signalName, args, typeInfo: signalTypeInfo, headers: {} });
  };
  const askQuery = (queryType: string, args: unknown[], queryTypeInfo?: PayloadTypeInfo) => {
    const next = composeInterceptors(interceptors, 'query', (input) => queryWorkflow(ctx, input));
    const queryRejectCondition = encodeQueryRejectCondition(deps.queryRejectCondition);
    return next({ workflowExecution, queryType, args, typeInfo: queryTypeInfo, queryRejectCondition, headers: {} });
  };

  const handle = {
    client,
    workflowId,
    result: () =>
      workflowResult(ctx, { workflowId, runId: runIdForResult }, followRuns, typeInfo?.outputType) as Promise<WorkflowResultType<T>>,
    signal: (def: SignalDefinition<unknown[]> | string, ...args: unknown[]) => sendSignal(nameOf(def), args, typeInfoOf(def)),
    signalWithOptions: (name: string, options: WorkflowSignalOptions<unknown[]>) => sendSignal(name, options.args ?? [], options.typeInfo),
    query: (def: QueryDefinition<unknown, unknown[]> | string, ...args: unknown[]) => askQuery(nameOf(def), args, typeInfoOf(def)),
    queryWithOptions: (name: string, options: WorkflowQueryOptions<unknown[]>) => askQuery(name, options.args ?? [], options.typeInfo),
    executeUpdate: async (def: UpdateDefinition<unknown, unknown[]> | string, options?: UpdateArgs) =>
      (await sendUpdate(def, WorkflowUpdateStage.COMPLETED, options)).result(),
    startUpdate: (def: UpdateDefinition<unknown, unknown[]> | string, options: UpdateArgs & { waitForStage: WorkflowUpdateStage }) => {
      if (options.waitForStage !== WorkflowUpdateStage.ACCEPTED) {
        throw new TypeError(`Invalid waitForStage: expected 'ACCEPTED', got '${options.waitForStage}'`);
      }
      return sendUpdate(def, options.waitForStage, options);
    },
    getUpdateHandle: (updateId: string, options?: GetWorkflowUpdateHandleOptions) =>
      makeUpdateHandle(ctx, {
        updateId,
        workflowId,
        workflowRunId: options?.workflowRunId ?? runId,
        outputTypeInfo: options?.typeInfo?.outputType,
      }),
    terminate: (reason?: string) =>
      composeInterceptors(interceptors, 'terminate', (input) => terminateWorkflow(ctx, input))({
        workflowExecution,
        reason,
        firstExecutionRunId,
      }),
    cancel: () =>
      composeInterceptors(interceptors, 'cancel', (input) => cancelWorkflow(ctx, input))({ workflowExecution, firstExecutionRunId }),
    describe: async () => {
      const next = composeInterceptors(interceptors, 'describe', (input) => describeWorkflow(ctx, input));
      return executionDescription(ctx, await next({ workflowExecution }));
    },
    fetchHistory: () => fetchWorkflowHistory(ctx, { workflowId, runId }),
  };
  // The overloads of the interface say more than one implementation can.
  return handle as unknown as WorkflowHandle<T>;
}

/** What an update handle is bound to. */
interface UpdateTarget {
  updateId: string;
  workflowId: string;
  workflowRunId?: string;
  outcome?: Parameters<typeof updateResult>[1];
  outputTypeInfo?: TypeInfo;
}

/** Makes a handle on an update; one that completed already answers without a call. */
export function makeUpdateHandle(ctx: RpcContext, target: UpdateTarget): WorkflowUpdateHandle<unknown> {
  const { updateId, workflowId, workflowRunId, outcome, outputTypeInfo } = target;
  return {
    updateId,
    workflowId,
    workflowRunId,
    async result() {
      const known = outcome ?? (await pollUpdateOutcome(ctx, updateId, { workflowId, runId: workflowRunId || undefined }));
      return updateResult(ctx, known, workflowId, outputTypeInfo);
    },
  };
}
