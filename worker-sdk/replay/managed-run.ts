/** One run on this worker: its replay machine, its code in the sandbox, its local activities, and the task it works on. */
import { toNumber } from '../definitions/api.js';
import { defaultPayloadConverter } from '../payload/payload-converter.js';
import { rejectionsTold } from '../sandbox/rejections.js';
import type { Sandbox, SandboxRun } from '../sandbox/sandbox.js';
import { CutOffError, guardTogether } from '../sandbox/time-guard.js';
import { updateRequestOf } from './kinds/update.js';
import { LocalActivitiesOfRun } from './local-activities-of-run.js';
import { NondeterminismError } from './nondeterminism.js';
import { HistoryUnreadable, type PagedHistory } from './paged-history.js';
import type { Activation } from './protocol.js';
import { answerQueries, LONE_QUERY, loneQueryAnswer, queriesOf, type QueryRequest } from './queries.js';
import { seedBytes, randomnessSeed } from './randomness-seed.js';
import { type DeploymentVersion, RunMachine } from './run-machine.js';
import { STACK_TRACE_QUERY } from '../workflow/reserved.js';
import type { SinkDispatcher } from './sink-dispatcher.js';
import { failureOf, isFailedByMismatch, runFailed, taskFailed } from './task-failure.js';
import type { RunLocalActivity, TaskFigures, WorkflowTask, WorkflowTaskCompletion, WorkflowTaskOutcome } from './workflow-host.js';

/** Part of the workflow task's timeout after which a heartbeat is sent for local activities. */
const HEARTBEAT_FRACTION = 0.8;
/** How long replay may compute before others get a turn, in milliseconds. */
const SLICE_MS = 50;

/** What runs share. */
export interface RunEnvironment {
  sandbox: Sandbox;
  namespace: string;
  taskQueue: string;
  version: DeploymentVersion | undefined;
  defaultVersioningBehavior: number | undefined;
  activityNames: ReadonlySet<string> | undefined;
  /** Names of the error classes that fail runs of a workflow type. */
  failureTypesOf: (workflowType: string) => readonly string[];
  activationTimeoutMs: number;
  sinks: Pick<SinkDispatcher, 'dispatch'>;
  runLocalActivity: RunLocalActivity;
}

export class ManagedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  #machine: RunMachine | undefined;
  #code: SandboxRun | undefined;
  readonly #local: LocalActivitiesOfRun;
  #rejection: { error: unknown } | undefined;
  /** What the code asked of the outside, to be done when the guard that it executes in is over. */
  #outside: (() => void)[] = [];
  /** Set when the run must not be used again. */
  broken = false;
  /** When the replay of the present task began; undefined once it is over. */
  #replayingSinceMs: number | undefined;
  #replayMs: number | undefined;
  /** What its code did otherwise than history says. */
  mismatch: NondeterminismError | undefined;

  constructor(
    task: WorkflowTask,
    private readonly environment: RunEnvironment,
    private readonly tracesCommands = false,
  ) {
    this.workflowId = task.workflowExecution?.workflowId ?? '';
    this.runId = task.workflowExecution?.runId ?? '';
    this.workflowType = task.workflowType?.name ?? '';
    const { workflowId, runId, workflowType } = this;
    this.#local = new LocalActivitiesOfRun(
      { workflowId, runId, workflowType, workflowNamespace: environment.namespace },
      environment.runLocalActivity,
    );
  }

  /** The event that the next incremental history must begin with. */
  get nextEventId(): number {
    return (this.#machine?.lastProcessedEventId ?? 0) + 1;
  }

  /** Whether the run is over, so that nothing but queries can come. */
  get finished(): boolean {
    return this.#machine?.closing ?? false;
  }

  /** A promise of the run's code was rejected and nobody handled it. */
  unhandledRejection(error: unknown): void {
    this.#rejection ??= { error };
  }

  async handle(task: WorkflowTask, history: PagedHistory): Promise<WorkflowTaskOutcome> {
    const startedMs = performance.now();
    const isLoneQuery = Boolean(task.query);
    try {
      const requests = (task.messages ?? []).map(updateRequestOf);
      const advancedFrom = this.#machine?.lastProcessedEventId ?? 0;
      this.#takeTask(history, requests);
      this.#local.tell(this.#machine!);
      const queries = queriesOf(task);
      const heartbeat = await this.#drive(history, startedMs, queries.length > 0);
      if (!isLoneQuery) history.checkComplete();
      const queryResults = queries.length > 0 ? await this.#answer(queries) : {};
      await rejectionsTold();
      if (this.#rejection) throw this.#rejection.error;
      if (isLoneQuery) {
        // What the code did beyond the last completed task is not to be told to anybody: the next task must do it again.
        const sawNew = this.#machine!.lastProcessedEventId > Math.max(advancedFrom, toNumber(task.previousStartedEventId));
        this.broken = sawNew && this.#machine!.commandsToSend().length > 0;
        return { kind: 'query', answer: loneQueryAnswer(queryResults[LONE_QUERY]!) };
      }
      return { kind: 'completed', completion: this.#completion(queryResults, heartbeat), figures: this.#takeFigures() };
    } catch (error) {
      if (error instanceof HistoryUnreadable) throw error.cause;
      return this.#failed(error, isLoneQuery);
    }
  }

  /** The server dropped the task just answered. */
  dropSpeculativeTask(resetStartedEventId: number): void {
    this.#machine?.dropSpeculativeTask(resetStartedEventId);
  }

  dispose(): void {
    this.#local.abandonAll();
    const code = this.#code;
    this.#code = undefined;
    this.#machine = undefined;
    try {
      code?.dispose();
    } catch {
      // Interceptors that fail to clean up have nobody to tell.
    }
  }

  /** Replays without answering: throws what does not match. */
  async replay(history: PagedHistory): Promise<void> {
    try {
      this.#takeTask(history, []);
      await this.#drive(history, performance.now(), true);
      await rejectionsTold();
    } catch (error) {
      if (error instanceof CutOffError) this.environment.sandbox.recover();
      throw error;
    }
    if (this.#rejection) throw this.#rejection.error;
  }

  /** Where the run's code waits, as the first line of the user's in a stack trace. */
  waitsAt(): string | undefined {
    if (!this.#code || !this.#machine) return undefined;
    try {
      const { answer } = this.#ask([{ id: LONE_QUERY, query: { queryType: STACK_TRACE_QUERY } }])[LONE_QUERY] ?? {};
      const [payload] = answer?.payloads ?? [];
      const stack = payload ? defaultPayloadConverter.fromPayload<string>(payload) : '';
      return (
        stack
          .split('\n')[0]
          ?.trim()
          .replace(/^at (async )?/, '') || undefined
      );
    } catch {
      return undefined; // the explanation is shorter without it
    }
  }

  // ---- driving -----------------------------------------------------------------------------------------------------

  #takeTask(history: PagedHistory, requests: ReturnType<typeof updateRequestOf>[]): void {
    if (this.#machine) {
      if (history.window.lastEventId > 0 || requests.length > 0) this.#machine.newTask(history.window, requests);
      return;
    }
    const { namespace, taskQueue, version } = this.environment;
    const identity = { workflowId: this.workflowId, runId: this.runId, namespace, taskQueue };
    this.#machine = new RunMachine(identity, history.window, requests, version, () => Date.now());
    if (this.#machine.replaying) this.#replayingSinceMs = performance.now();
  }

  /**
   * Goes through history and code until both wait. Returns whether the task must be answered now although local activities still run.
   */
  async #drive(history: PagedHistory, startedMs: number, answersSoon: boolean): Promise<boolean> {
    const machine = this.#machine!;
    for (;;) {
      const state = await this.#guarded(() => this.#advance(machine));
      if (state === 'page') await history.fetchMore();
      else if (state === 'slice') await new Promise((resolve) => setImmediate(resolve));
      else if (machine.localActivities.outstanding === 0) return false;
      else if (
        answersSoon ||
        !(await this.#local.next(machine, startedMs + (machine.start?.workflowTaskTimeoutMs ?? 10_000) * HEARTBEAT_FRACTION))
      )
        return true;
    }
  }

  /** Within a guard; and then what the code asked of the outside, which may start what a guard must not. */
  async #guarded<T>(fn: () => T): Promise<T> {
    try {
      return await guardTogether(this.environment.activationTimeoutMs, fn);
    } finally {
      for (const act of this.#outside.splice(0)) act();
    }
  }

  /** Everything that can be done without waiting for anything. */
  #advance(machine: RunMachine): 'idle' | 'page' | 'slice' {
    const until = performance.now() + SLICE_MS;
    for (;;) {
      while (!machine.hasJobs) {
        if (!machine.canAdvance) return 'page';
        if (machine.advance() === 0 || !machine.replaying) break;
      }
      if (!machine.hasJobs) return 'idle';
      this.#activate(machine.takeActivation());
      if (performance.now() > until) return 'slice';
    }
  }

  #activate(activation: Activation): void {
    const machine = this.#machine!;
    if (this.#replayingSinceMs !== undefined && !activation.isReplaying) {
      this.#replayMs = performance.now() - this.#replayingSinceMs;
      this.#replayingSinceMs = undefined;
    }
    const code = this.#codeFor(activation);
    const withTime = { ...activation, timestamp: timestampOf(machine.timeMs) };
    try {
      machine.completeActivation(code.activate(withTime));
    } finally {
      this.#takeSinkCalls(code);
    }
    const { start, cancel } = machine.takeLocalActivityRequests();
    for (const seq of cancel) this.#outside.push(() => this.#local.cancel(seq));
    for (const activity of start) this.#outside.push(() => this.#local.start(activity));
  }

  #takeSinkCalls(code: SandboxRun): void {
    const calls = code.takeSinkCalls();
    if (calls.length > 0) this.#outside.push(() => this.environment.sinks.dispatch(calls));
  }

  #codeFor(activation: Activation): SandboxRun {
    if (this.#code) return this.#code;
    const start = activation.jobs[0]?.initializeWorkflow;
    const { sandbox, namespace, taskQueue, activityNames, failureTypesOf } = this.environment;
    const workflowType = start?.workflowType || this.workflowType;
    this.#code = sandbox.createRun(
      {
        workflowId: this.workflowId,
        runId: this.runId,
        workflowType,
        namespace,
        taskQueue,
        nowMs: this.#machine?.timeMs ?? 0,
        seed: () => seedBytes(randomnessSeed(start?.originalExecutionRunId || this.runId)),
        activityNames,
        failureExceptionTypes: failureTypesOf(workflowType),
        tracesCommands: this.tracesCommands,
      },
      this,
    );
    return this.#code;
  }

  // ---- answering ---------------------------------------------------------------------------------------------------

  async #answer(queries: QueryRequest[]): Promise<ReturnType<typeof answerQueries>> {
    return queries.length === 0 ? {} : this.#guarded(() => this.#ask(queries));
  }

  #ask(queries: QueryRequest[]): ReturnType<typeof answerQueries> {
    const machine = this.#machine!;
    return answerQueries(queries, (job) => {
      const activation = { ...machine.activation([job], true), timestamp: timestampOf(machine.timeMs) };
      const code = this.#codeFor(activation);
      try {
        return code.activate(activation);
      } finally {
        this.#takeSinkCalls(code);
      }
    });
  }

  #takeFigures(): TaskFigures {
    const replayMs = this.#replayMs;
    this.#replayMs = undefined;
    return { replayMs, runStartMs: this.#machine?.start?.startMs };
  }

  #completion(queryResults: WorkflowTaskCompletion['queryResults'], heartbeat: boolean): WorkflowTaskCompletion {
    const machine = this.#machine!;
    const commands = machine.sawFinalEvent ? [] : machine.commandsToSend();
    return {
      commands,
      messages: machine.takeMessages(),
      queryResults,
      sdkMetadata: machine.flags.takeForCompletion(),
      versioningBehavior: machine.versioningBehavior ?? this.environment.defaultVersioningBehavior,
      forceCreateNewWorkflowTask: heartbeat,
      returnNewWorkflowTask: heartbeat,
    };
  }

  #failed(error: unknown, isLoneQuery: boolean): WorkflowTaskOutcome {
    this.broken = true;
    if (error instanceof CutOffError) this.environment.sandbox.recover();
    if (error instanceof NondeterminismError) this.mismatch = error;
    const failure = failureOf(error, this.#code);
    if (isLoneQuery) return { kind: 'query', answer: loneQueryAnswer({ resultType: 2, errorMessage: failure.message, failure }) };
    if (this.mismatch && isFailedByMismatch(this.environment.failureTypesOf(this.workflowType))) return runFailed(failure);
    return taskFailed(failure, error instanceof NondeterminismError);
  }
}

function timestampOf(timeMs: number | undefined): { seconds: never; nanos: number } {
  const ms = timeMs ?? 0;
  const seconds = Math.floor(ms / 1000);
  return { seconds: seconds as never, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}
