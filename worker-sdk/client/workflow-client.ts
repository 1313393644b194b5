/** The client for workflows: start them, find them, wait for them. */
import { composeInterceptors } from '../definitions/interceptors.js';
import type { UpdateDefinition, Workflow, WorkflowResultType } from '../definitions/workflow.js';
import type { WithWorkflowArgs } from '../definitions/workflow-options.js';
import { extractWorkflowTypeAndConfig } from '../definitions/workflow-options.js';
import { Connection } from '../transport/connection.js';
import type { BaseClientOptions, LoadedWithDefaults } from './base-client.js';
import { BaseClient } from './base-client.js';
import { rethrowGrpcError } from './errors.js';
import { executionCount } from './execution-info.js';
import type { WorkflowClientInterceptor, WorkflowStartOutput, WorkflowStartUpdateWithStartInput } from './interceptors.js';
import { adaptStartInterceptor } from './interceptors.js';
import type { AsyncWorkflowListIterable, ListOptions } from './list-workflows.js';
import { listWorkflows } from './list-workflows.js';
import type { RpcContext } from './rpc-context.js';
import { signalWithStartWorkflow, startWorkflow } from './start-workflow.js';
import type { CountWorkflowExecution, QueryRejectCondition } from './types.js';
import { WorkflowUpdateStage } from './types.js';
import { startUpdateWithStart } from './update-workflow.js';
import type { WithStartWorkflowOperation } from './with-start-operation.js';
import type {
  GetWorkflowHandleOptions,
  WorkflowHandle,
  WorkflowHandleTarget,
  WorkflowHandleWithSignaledRunId,
  WorkflowHandleWithStartDetails,
  WorkflowResultOptions,
  WorkflowUpdateHandle,
} from './workflow-handle.js';
import { makeUpdateHandle, makeWorkflowHandle } from './workflow-handle.js';
import type { WorkflowOptions, WorkflowSignalWithStartOptions, WorkflowStartOptions, WorkflowUpdateOptions } from './workflow-options.js';
import { compileWorkflowOptions } from './workflow-options.js';
import { workflowResult } from './workflow-result.js';

/** Options of a {@link WorkflowClient}. */
export interface WorkflowClientOptions extends BaseClientOptions {
  /** Hooks around calls; the first is the outermost. */
  interceptors?: WorkflowClientInterceptor[];
  /** When queries are refused. Default: never. */
  queryRejectCondition?: QueryRejectCondition;
}

/** {@link WorkflowClientOptions} with defaults filled in. */
export type LoadedWorkflowClientOptions = LoadedWithDefaults<WorkflowClientOptions>;

/** Update options, and the workflow to start. */
type UpdateWithStartOptions<T extends Workflow, Args> = WorkflowUpdateOptions & {
  args?: Args;
  startWorkflowOperation: WithStartWorkflowOperation<T>;
};

/** Starts workflows and makes handles on them. Usually reached as {@link Client.workflow}. */
export class WorkflowClient extends BaseClient {
  /** As given, with defaults. */
  readonly options: LoadedWorkflowClientOptions;
  private readonly ctx: RpcContext;
  private readonly interceptors: WorkflowClientInterceptor[];

  constructor(options: WorkflowClientOptions = {}) {
    super(options);
    this.interceptors = (options.interceptors ?? []).map(adaptStartInterceptor);
    this.options = {
      ...this.baseOptions(),
      dataConverter: options.dataConverter ?? {},
      interceptors: options.interceptors ?? [],
      queryRejectCondition: options.queryRejectCondition ?? 'NONE',
    };
    const { connection } = this;
    this.ctx = {
      service: connection.workflowService,
      namespace: this.namespace,
      identity: this.identity,
      converter: this.dataConverter,
      eagerStarts: () =>
        connection instanceof Connection && connection.systemInfo?.capabilities?.eagerWorkflowStart ? connection.eagerStarts : undefined,
    };
  }

  /**
   * Starts a workflow.
   * @throws WorkflowExecutionAlreadyStartedError when one of that id is open, or the reuse policy forbids another.
   */
  async start<T extends Workflow>(
    workflowTypeOrFunc: string | T,
    options: WorkflowStartOptions<T>,
  ): Promise<WorkflowHandleWithStartDetails<T>> {
    const { type, typeInfo } = extractWorkflowTypeAndConfig(workflowTypeOrFunc, options.typeInfo);
    const { runId, eagerlyStarted } = await this.startInner(type, { ...options, typeInfo });
    const handle = this.handle<T>({
      workflowId: options.workflowId,
      firstExecutionRunId: runId,
      runIdForResult: runId,
      followRuns: options.followRuns,
      typeInfo,
    });
    return Object.assign(handle, { firstExecutionRunId: runId, eagerlyStarted });
  }

  /** Starts a workflow if it is not running, and sends it a signal, in one step. */
  async signalWithStart<T extends Workflow, SignalArgs extends unknown[] = []>(
    workflowTypeOrFunc: string | T,
    options: WithWorkflowArgs<T, WorkflowSignalWithStartOptions<SignalArgs>>,
  ): Promise<WorkflowHandleWithSignaledRunId<T>> {
    const all = options as WorkflowOptions & { args?: unknown[] } & WorkflowSignalWithStartOptions<unknown[]>;
    const { signal, signalArgs, signalTypeInfo, ...startOptions } = all;
    const { type, typeInfo } = extractWorkflowTypeAndConfig(workflowTypeOrFunc, all.typeInfo);
    const next = composeInterceptors(this.interceptors, 'signalWithStart', (input) => signalWithStartWorkflow(this.ctx, input));
    const signaledRunId = await next({
      workflowType: type,
      options: compileWorkflowOptions({ ...startOptions, typeInfo }),
      headers: {},
      signalName: typeof signal === 'string' ? signal : signal.name,
      signalArgs: signalArgs ?? [],
      signalTypeInfo: typeof signal === 'string' ? signalTypeInfo : signal.typeInfo,
    });
    const { workflowId, followRuns } = startOptions;
    const handle = this.handle<T>({ workflowId, runIdForResult: signaledRunId, followRuns, typeInfo });
    return Object.assign(handle, { signaledRunId });
  }

  /** Starts a workflow and waits for its result. */
  async execute<T extends Workflow>(workflowTypeOrFunc: string | T, options: WorkflowStartOptions<T>): Promise<WorkflowResultType<T>> {
    const { type, typeInfo } = extractWorkflowTypeAndConfig(workflowTypeOrFunc, options.typeInfo);
    const { runId } = await this.startInner(type, { ...options, typeInfo });
    return this.result<T>(options.workflowId, runId, { followRuns: options.followRuns, typeInfo });
  }

  /** Starts a workflow, or finds it, sends it an update, and waits for the update's result. */
  async executeUpdateWithStart<T extends Workflow, Ret, Args extends unknown[]>(
    updateDef: UpdateDefinition<Ret, Args> | string,
    updateOptions: UpdateWithStartOptions<T, Args>,
  ): Promise<Ret> {
    return (await this.updateWithStart<T, Ret, Args>(updateDef, updateOptions, WorkflowUpdateStage.COMPLETED)).result();
  }

  /** Starts a workflow, or finds it, sends it an update, and waits until the update is accepted. */
  async startUpdateWithStart<T extends Workflow, Ret, Args extends unknown[]>(
    updateDef: UpdateDefinition<Ret, Args> | string,
    updateOptions: UpdateWithStartOptions<T, Args> & { waitForStage: 'ACCEPTED' },
  ): Promise<WorkflowUpdateHandle<Ret>> {
    return this.updateWithStart(updateDef, updateOptions, updateOptions.waitForStage);
  }

  /**
   * Waits for a workflow's result.
   * @throws WorkflowFailedError when it ended otherwise; WorkflowNotFoundError.
   */
  async result<T extends Workflow>(workflowId: string, runId?: string, opts: WorkflowResultOptions = {}): Promise<WorkflowResultType<T>> {
    return workflowResult(this.ctx, { workflowId, runId }, opts.followRuns ?? true, opts.typeInfo?.outputType) as Promise<
      WorkflowResultType<T>
    >;
  }

  /**
   * A handle on an existing workflow: on its latest run, or on `runId`. The server is not asked; a workflow that does not
   * exist shows when the handle is used.
   */
  getHandle<T extends Workflow>(workflowId: string, runId?: string, options?: GetWorkflowHandleOptions): WorkflowHandle<T> {
    return this.handle<T>({
      ...options,
      workflowId,
      runId,
      runIdForResult: runId ?? options?.firstExecutionRunId,
    });
  }

  /** Lists workflows, newest first. */
  list(options?: ListOptions): AsyncWorkflowListIterable {
    return listWorkflows(this.ctx, options);
  }

  /** Counts workflows that match a query; without one, all of the namespace. */
  async count(query?: string): Promise<CountWorkflowExecution> {
    try {
      return executionCount(await this.workflowService.countWorkflowExecutions({ namespace: this.namespace, query }));
    } catch (err) {
      rethrowGrpcError(err, 'Failed to count workflows');
    }
  }

  private startInner(workflowType: string, options: WorkflowOptions): Promise<WorkflowStartOutput> {
    const next = composeInterceptors(this.interceptors, 'startWithDetails', (input) => startWorkflow(this.ctx, input));
    return next({ workflowType, options: compileWorkflowOptions(options), headers: {} });
  }

  private async updateWithStart<T extends Workflow, Ret, Args extends unknown[]>(
    updateDef: UpdateDefinition<Ret, Args> | string,
    updateOptions: UpdateWithStartOptions<T, Args>,
    stage: WorkflowUpdateStage,
  ): Promise<WorkflowUpdateHandle<Ret>> {
    const { args, startWorkflowOperation, ...options } = updateOptions;
    const { workflowTypeOrFunc, options: startOptions } = startWorkflowOperation;
    const { type, typeInfo } = extractWorkflowTypeAndConfig(workflowTypeOrFunc, startOptions.typeInfo);
    const { workflowId, followRuns } = startOptions;
    const { resolve, reject } = startWorkflowOperation.use();
    const observer = {
      onStarted: (started: { runId?: string | null }) =>
        resolve(this.handle({ workflowId, runIdForResult: started.runId ?? undefined, followRuns, typeInfo })),
      onFailed: reject,
    };
    const send = (input: WorkflowStartUpdateWithStartInput) => startUpdateWithStart(this.ctx, input, stage, observer);
    try {
      const output = await composeInterceptors(
        this.interceptors,
        'startUpdateWithStart',
        send,
      )({
        workflowType: type,
        workflowStartOptions: compileWorkflowOptions({ ...startOptions, typeInfo }),
        workflowStartHeaders: {},
        updateName: typeof updateDef === 'string' ? updateDef : updateDef.name,
        updateArgs: args ?? [],
        updateTypeInfo: options.typeInfo ?? (typeof updateDef === 'string' ? undefined : updateDef.typeInfo),
        updateOptions: options,
        updateHeaders: {},
      });
      return makeUpdateHandle(this.ctx, {
        updateId: output.updateId,
        workflowId,
        workflowRunId: output.workflowExecution.runId,
        outcome: output.updateOutcome,
        outputTypeInfo: output.updateOutputTypeInfo,
      }) as WorkflowUpdateHandle<Ret>;
    } catch (err) {
      reject(err);
      throw err;
    }
  }

  private handle<T extends Workflow>(target: WorkflowHandleTarget): WorkflowHandle<T> {
    const { queryRejectCondition } = this.options;
    return makeWorkflowHandle<T>({ ctx: this.ctx, client: this, interceptors: this.interceptors, queryRejectCondition }, target);
  }
}
