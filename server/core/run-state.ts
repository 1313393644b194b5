/**
 * What one run is, as the engine holds it between transitions. Everything here is plain data that goes into the snapshot:
 * numbers, strings, arrays, records, and Uint8Array for encoded API messages (named in the comment beside each).
 * Times are milliseconds since the epoch, 0 meaning "none"; event ids are numbers, 0 meaning "none".
 */

/** Retry policy with every default filled in. */
export interface RetryPolicy {
  initialIntervalMs: number;
  coefficient: number;
  maximumIntervalMs: number;
  /** 0 = unlimited. */
  maximumAttempts: number;
  nonRetryableTypes: string[];
}

export interface ParentLink {
  namespaceId: string;
  namespace: string;
  workflowId: string;
  runId: string;
  /** The parent's StartChildWorkflowExecutionInitiated event. */
  initiatedEventId: number;
}

/** What is fixed when the run starts. Kept apart from the rest so that it is written once. */
export interface RunInfo {
  namespaceId: string;
  /** Name of the namespace when the run started; the id is what counts. */
  namespace: string;
  workflowId: string;
  runId: string;
  /** First run of the chain that continue-as-new, retries and cron make. */
  firstRunId: string;
  /** The run id that seeds randomness: kept by a reset. */
  originalRunId: string;
  continuedRunId: string;
  workflowType: string;
  taskQueue: string;
  startMs: number;
  /** When the first workflow task may be scheduled (start + backoff). */
  executionMs: number;
  attempt: number;
  cron: string;
  retry: RetryPolicy | null;
  executionTimeoutMs: number;
  runTimeoutMs: number;
  /** The first event names a run timeout, be it 0. */
  namesRunTimeout: boolean;
  workflowTaskTimeoutMs: number;
  executionExpirationMs: number;
  runExpirationMs: number;
  parent: ParentLink | null;
  rootWorkflowId: string;
  rootRunId: string;
  createRequestId: string;
  /** The request id of the reset that made the run; empty for any other run. */
  resetRequestId: string;
  /** The first event's time: where a reset run's history begins, long before its own start. */
  originalStartMs: number;
  /** When it was made by a reset; 0 = it was not. */
  lastResetMs: number;
  /** The runs whose histories it has taken over, the last one last. */
  baseRunIds: string[];
  startIdentity: string;
  /** Encoded temporal.api.common.v1.Priority. */
  priority: Uint8Array | null;
  /** Encoded temporal.api.sdk.v1.UserMetadata of the start. */
  userMetadata: Uint8Array | null;
  /** Encoded Links of the start. */
  links: Uint8Array[];
}

export interface WorkflowTask {
  kind: 'normal' | 'speculative';
  /** Whether its Scheduled event is in the history (false: transient or speculative; then the ids are where the events would go). */
  written: boolean;
  scheduledEventId: number;
  startedEventId: number;
  attempt: number;
  queue: string;
  sticky: boolean;
  scheduledMs: number;
  originalScheduledMs: number;
  startedMs: number;
  startToCloseMs: number;
  /** 0 = may wait for ever. */
  scheduleToStartMs: number;
  requestId: string;
  identity: string;
  historySizeBytes: number;
  suggestReasons: number[];
  /** Encoded WorkerVersionStamp of the worker that has it. */
  workerVersion: Uint8Array | null;
}

export interface Sticky {
  queue: string;
  scheduleToStartMs: number;
}

export interface Activity {
  scheduledEventId: number;
  activityId: string;
  type: string;
  queue: string;
  attempt: number;
  /** First scheduling; where schedule-to-close counts from. */
  scheduledMs: number;
  /** When the present attempt became (or becomes) due. */
  attemptScheduledMs: number;
  /** The present attempt was offered to its task queue (false: paused, or waiting out its backoff). */
  queued: boolean;
  startedMs: number;
  requestId: string;
  identity: string;
  scheduleToCloseMs: number;
  scheduleToStartMs: number;
  startToCloseMs: number;
  heartbeatMs: number;
  retry: RetryPolicy | null;
  /** Encoded Failure of the last attempt. */
  lastFailure: Uint8Array | null;
  lastIdentity: string;
  lastAttemptCompletedMs: number;
  /** Encoded Payloads of the last heartbeat. */
  heartbeatDetails: Uint8Array | null;
  lastHeartbeatMs: number;
  cancelRequestedEventId: number;
  /** Grows when options change, the activity is paused or reset: tasks of an older stamp are void. */
  stamp: number;
  paused: { ms: number; identity: string; reason: string; requestId: string } | null;
  /** Reset while an attempt runs: the worker is told so, until that attempt ends. */
  resetRequested: boolean;
  /** The next attempt starts without heartbeat details. */
  resetHeartbeat: boolean;
  /** Encoded Priority. */
  priority: Uint8Array | null;
}

export interface Timer {
  timerId: string;
  startedEventId: number;
  fireMs: number;
}

export interface Child {
  initiatedEventId: number;
  startedEventId: number;
  namespace: string;
  namespaceId: string;
  workflowId: string;
  /** Empty until it started. */
  runId: string;
  workflowType: string;
  parentClosePolicy: number;
}

/** A signal or a cancel on its way to another run. */
export interface External {
  initiatedEventId: number;
  namespace: string;
  namespaceId: string;
  workflowId: string;
  /** Empty: the run that was open. */
  runId: string;
  control: string;
}

/** An update that no worker has accepted or rejected yet. No event tells of it. */
export interface AdmittedUpdate {
  updateId: string;
  /** Encoded temporal.api.update.v1.Request; null when an UpdateAdmitted event carries it to the worker. */
  request: Uint8Array | null;
  admittedMs: number;
  /** The transition that admitted it: tells one admission of an id from the next. */
  admission: number;
  /** Started event id of the workflow task that carried it to the worker last; 0 = not sent yet. */
  sentWith: number;
}

export interface AcceptedUpdate {
  updateId: string;
  acceptedEventId: number;
}

/** Update id and the event that holds its outcome. */
export type CompletedUpdate = [updateId: string, completedEventId: number];

/** What became of an update that left no event, for callers that wait on other nodes. Forgotten after a while. */
export interface RefusedUpdate {
  updateId: string;
  admission: number;
  atMs: number;
  /** Encoded Failure of a rejection; null when the workflow task failed that was to process the update. */
  failure: Uint8Array | null;
}

export interface ResetPoint {
  buildId: string;
  binaryChecksum: string;
  runId: string;
  firstWorkflowTaskCompletedId: number;
  createMs: number;
  /** When its run is no longer kept; 0 while that is this run. */
  expireMs: number;
  resettable: boolean;
}

/** What came of a request for approval. */
export interface ApprovalOutcome {
  state: 'approved' | 'rejected' | 'expired' | 'withdrawn';
  by: string;
  reason: string;
  ms: number;
  /** Of the signal that decided it. */
  requestId: string;
}

/** A question of the run to a person. Replaced when it changes, never changed in place. */
export interface Approval {
  approvalId: string;
  requestedMs: number;
  /** When the run stops waiting; 0 = never. */
  untilMs: number;
  /** What was asked, until the commit has written it to its table. */
  asked: { what: string; from: string; details: string } | null;
  /** Null while open. One that is over leaves the state with the commit that wrote its outcome. */
  outcome: ApprovalOutcome | null;
}

/** A decision that came before its request. */
interface EarlyDecision {
  approvalId: string;
  outcome: ApprovalOutcome;
}

/** Somebody who is to be told of the end of the chain. */
export interface AttachedCallback {
  /** Encoded temporal.api.common.v1.Callback. */
  callback: Uint8Array;
  registeredMs: number;
  /** The request that brought it. */
  requestId?: string;
  /** How calling it goes; null until the end of the run sets that in motion. */
  calls?: CallbackCalls | null;
}

/** How far calling a callback is. No events tell of it. */
export interface CallbackCalls {
  state: 'scheduled' | 'backing-off' | 'failed' | 'succeeded';
  /** Calls made so far, and when the last one ended. */
  attempt: number;
  lastAttemptMs: number;
  /** Encoded Failure: why the last call did not get through. */
  lastFailure: Uint8Array | null;
  /** When it is called again, while it backs off. */
  nextMs: number;
}

export interface RunState {
  info: RunInfo;
  /** temporal.api.enums.v1.WorkflowExecutionStatus. */
  status: number;
  closeMs: number;
  /** The close event's id, 0 while open. */
  closeEventId: number;
  nextEventId: number;
  historyBytes: number;
  /** Transitions committed so far. */
  transitions: number;

  workflowTask: WorkflowTask | null;
  /** Attempt that the next workflow task has. */
  workflowTaskAttempt: number;
  /** Workflow tasks that failed since one was completed, and what the last that was written failed of, as a search attribute says it. */
  taskFailures: number;
  taskProblem: string[];
  /** Who paused the run, since when and why; null while it is not. */
  pause: { ms: number; identity: string; reason: string; requestId: string } | null;
  /** The last workflow task would have closed the run, had there been nothing new that its worker had not seen. No event tells of it. */
  closeAttempted: boolean;
  /** Started event of the last completed workflow task: where a sticky worker's knowledge ends. */
  previousStartedEventId: number;
  /** Id of the last WorkflowTaskCompleted, 0 if none. */
  lastCompletedEventId: number;
  sticky: Sticky | null;
  /** A first workflow task that waits for a start delay, a cron time or a retry backoff; 0 = none. */
  firstTaskAtMs: number;
  /** What the worker that completed the last workflow task said of its build, and the deployment that it is of. */
  lastWorkerVersion: { buildId: string; versioned: boolean } | null;
  workerDeploymentName: string;

  activities: Record<number, Activity>;
  /** By timer id: a dictionary, as users choose these. */
  timers: Record<string, Timer>;
  children: Record<number, Child>;
  externalSignals: Record<number, External>;
  externalCancels: Record<number, External>;
  updatesAdmitted: AdmittedUpdate[];
  updatesAccepted: AcceptedUpdate[];
  updatesCompleted: CompletedUpdate[];
  updatesRefused: RefusedUpdate[];
  approvals: Approval[];
  earlyDecisions: EarlyDecision[];
  /** Ids of the last requests that are over. */
  approvalsOver: string[];

  cancelRequested: boolean;
  cancelRequestId: string;
  signalCount: number;
  /** Encoded HistoryEvents that arrived while a workflow task was started; their ids are given when they are flushed. */
  buffered: Uint8Array[];
  bufferedBytes: number;

  /** Encoded Memo and SearchAttributes as they stand now. */
  memo: Uint8Array | null;
  searchAttributes: Uint8Array | null;
  resetPoints: ResetPoint[];
  /** Builds of the workers that completed its workflow tasks. */
  buildIds: string[];
  /** Request ids attached to the run (start, on_conflict_options), with the kind of event that took them: a dictionary. */
  requestIds: Record<string, { eventId: number; eventType: number }>;
  callbacks: AttachedCallback[];
  /** Encoded temporal.api.workflow.v1.VersioningOverride as it stands now. */
  versioningOverride: Uint8Array | null;
  /** The run that this one continued as (continue-as-new, retry, cron). */
  newRunId: string;
  /** The run that a reset of this one has made. */
  resetRunId: string;
}
