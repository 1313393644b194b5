/**
 * The seam between the worker and the deterministic half of the SDK. The worker polls, answers and runs activities; the host
 * keeps the cached runs, replays them and executes workflow code. Everything asynchronous that it needs comes in here.
 *
 * Payload codecs are the worker's business: it decodes a task's history before handing it in, and encodes the answer.
 */
import type { History, Payload, ProtoFailure, temporal } from '../definitions/api.js';
import type { Logger } from '../definitions/logger.js';
import type { MetricMeter } from '../definitions/metrics.js';
import type { WorkflowInfo } from '../workflow/interfaces.js';

export type WorkflowTask = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
type CompletedRequest = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type FailedRequest = temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedRequest;
type QueryRequest = temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest;

/** One page of a run's history. */
export interface HistoryPage {
  history: History;
  /** Empty or absent on the last page. */
  nextPageToken?: Uint8Array | null;
}

/**
 * Fetches a page of the task's run: GetWorkflowExecutionHistory with the task's workflow id and run id. An empty token asks for
 * the first page.
 */
export type FetchHistory = (nextPageToken: Uint8Array) => Promise<HistoryPage>;

/** For metrics: what a task showed of its run. */
export interface TaskFigures {
  /** How long it took to come to where history ends; absent when the run was there already, or is new. */
  replayMs?: number;
  /** Start of the run, milliseconds since 1970. */
  runStartMs?: number;
}

/** What to answer a task with. Each part goes into its request as it is; the worker adds token, identity, namespace, sticky attributes. */
export type WorkflowTaskOutcome =
  /** RespondWorkflowTaskCompleted. */
  | { kind: 'completed'; completion: WorkflowTaskCompletion; figures?: TaskFigures }
  /** RespondWorkflowTaskFailed (which a worker sends for attempt 1 only; later attempts time out). */
  | { kind: 'failed'; failure: Pick<FailedRequest, 'cause' | 'failure'> & { failure: ProtoFailure } }
  /** RespondQueryTaskCompleted: the task was a lone query. */
  | { kind: 'query'; answer: Pick<QueryRequest, 'completedType' | 'queryResult' | 'errorMessage' | 'failure'> };

export type WorkflowTaskCompletion = Pick<
  CompletedRequest,
  | 'commands'
  | 'messages'
  | 'queryResults'
  | 'sdkMetadata'
  | 'meteringMetadata'
  | 'versioningBehavior'
  /** True when local activities still run: the server then makes a new task at once, and the worker should take it in the answer. */
  | 'forceCreateNewWorkflowTask'
  | 'returnNewWorkflowTask'
>;

/** One attempt of a local activity. */
export interface LocalActivityTask {
  workflowId: string;
  runId: string;
  workflowType: string;
  workflowNamespace: string;
  activityId: string;
  activityType: string;
  input: Payload[];
  header: Record<string, Payload>;
  /** 1 for the first. */
  attempt: number;
  /** When the workflow scheduled it first, milliseconds since 1970. */
  scheduledTimeMs: number;
  currentAttemptScheduledTimeMs: number;
  startToCloseTimeoutMs?: number;
  scheduleToCloseTimeoutMs?: number;
  scheduleToStartTimeoutMs?: number;
  retryPolicy?: temporal.api.common.v1.IRetryPolicy;
}

export type LocalActivityResult =
  | { kind: 'completed'; result?: Payload | null }
  | { kind: 'failed'; failure: ProtoFailure }
  | { kind: 'cancelled'; failure: ProtoFailure };

/**
 * Runs one attempt of a local activity and never rejects. The host decides about retries and timeouts; when an attempt is to end early
 * it aborts the signal, whose reason is a CancelledFailure or a TimeoutFailure. `started` is called when the attempt has a slot: the time of
 * start-to-close begins then, that of schedule-to-start ends.
 */
export type RunLocalActivity = (task: LocalActivityTask, signal: AbortSignal, started: () => void) => Promise<LocalActivityResult>;

/** A function that workflow code calls through `proxySinks`. It runs outside of the sandbox, after the activation. */
export interface InjectedSinkFunction {
  /** First argument: the `WorkflowInfo` of the caller, a plain frozen copy. */
  fn(workflowInfo: never, ...args: never[]): unknown;
  /** Whether to call it while history is replayed too. @default false */
  callDuringReplay?: boolean;
}
export type InjectedSinks = Record<string, Record<string, InjectedSinkFunction>>;

/** Workflow code, bundled ahead of time by `bundleWorkflowCode`: the text, `code`, or the file that has it, `codePath`. */
export type WorkflowBundleOption = { code: string } | { codePath: string };

/** Options for the bundler. */
export interface BundleOptions {
  /** The file whose exports are the workflows. */
  workflowsPath: string;
  /** Modules with an `interceptors` export, to be loaded into each run. */
  workflowInterceptorModules?: string[];
  /** Files that export `payloadConverter` and `failureConverter`. */
  payloadConverterPath?: string;
  failureConverterPath?: string;
  /** Modules that the workflow code imports but never uses at run time: they are replaced by stand-ins that throw when used. A name covers all below it: `aws` covers `aws/s3`. */
  ignoreModules?: string[];
  /** Packages in node_modules to be instantiated once per run, like the workflow's own modules, because they keep state. */
  perRunModules?: string[];
}

export interface WorkflowHostOptions extends Partial<BundleOptions> {
  /** Keeps bundles on disk: `false` for no, or the folder. See {@link WorkerOptions.bundlerOptions}. @default true */
  cache?: boolean | string;
  /** Instead of `workflowsPath`. */
  workflowBundle?: WorkflowBundleOption;
  namespace: string;
  taskQueue: string;
  identity: string;
  /** The worker's build id, recorded and shown in `workflowInfo()`. */
  buildId?: string;
  deploymentVersion?: { deploymentName: string; buildId: string };
  defaultVersioningBehavior?: number;
  logger: Logger;
  metricMeter?: MetricMeter;
  sinks?: InjectedSinks;
  /** Names of the activities this worker has: a local activity that is not among them fails the task. */
  activityNames?: ReadonlySet<string>;
  /**
   * Names of error classes that fail the run rather than the task, by workflow type; `*` stands for all types, `Error` for all errors,
   * `NondeterminismError` for code that does not match its history.
   */
  workflowFailureErrorTypes?: Readonly<Record<string, readonly string[]>>;
  /** Put the text of source files into the answers of `__enhanced_stack_trace`. */
  showStackTraceSources?: boolean;
  /** Decides about patches that a run meets for the first time while it is not replayed. */
  patchActivationCallback?: PatchActivationCallback;
  runLocalActivity: RunLocalActivity;
  /** Runs kept at most. @default 1000 */
  maxCachedRuns?: number;
  /** Heap in use, in bytes, above which the runs used longest ago are dropped. @default three quarters of the heap limit */
  maxHeapBytes?: number;
  /** How long one activation may compute without a pause before it is cut off, in milliseconds; 0 for no limit. @default 5000 */
  activationTimeoutMs?: number;
  /** Called when a run leaves the cache by pressure (count or memory), by failure or by {@link WorkflowHost.evict}. */
  onEvict?: (runId: string, reason: string) => void;
  /** Called for each task that goes on where an earlier one ended: whether its run was still there. */
  onCacheLookup?: (hit: boolean) => void;
}

/** A patch that a run meets for the first time. */
export interface PatchActivationInput {
  /** The run, as it is at this moment. */
  readonly workflowInfo: Readonly<WorkflowInfo>;
  /** As `patched` names it. */
  readonly patchId: string;
}

/**
 * Decides whether a run follows a patch: with `false` it keeps the old path for all its life, and no marker is written. Called outside of the
 * sandbox, while the workflow waits for the answer; not for deprecated patches, and not in replay.
 */
export type PatchActivationCallback = (input: PatchActivationInput) => boolean;

/** What became of a recorded history when it was replayed against the present code. */
export interface ReplayResult {
  workflowId: string;
  runId: string;
  /** Absent when the replay matched. */
  error?: Error;
}

export interface WorkflowHost {
  /**
   * Executes one workflow task. Tasks of the same run are executed one after the other; different runs may overlap while they wait for
   * history pages or local activities. Never rejects for what user code does; rejects with what `fetchHistory` rejects with.
   */
  handleTask(task: WorkflowTask, fetchHistory: FetchHistory): Promise<WorkflowTaskOutcome>;
  /** Replays a whole history without answering anybody. */
  replayHistory(history: History, workflowId?: string): Promise<ReplayResult>;
  /** The server's answer to a completion carried `resetHistoryEventId`: everything in the task was rejected, and it never happened. */
  speculativeTaskDropped(runId: string, resetHistoryEventId: number): void;
  /** Forgets a run: its next task replays from the beginning. Call it when the server refused the answer of its last task. */
  evict(runId: string, reason?: string): void;
  /** How many runs are cached. */
  readonly cachedRuns: number;
  /** Names of the workflows that the bundle exports. */
  readonly workflowTypes: readonly string[];
  /** Drops all runs and the sandbox. */
  dispose(): void;
}
