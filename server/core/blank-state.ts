/** The state of a run before its first event. */
import { enums } from './api.js';
import { dictionary } from './dictionary.js';
import type { RunInfo, RunState } from './run-state.js';

export interface RunIdentity {
  namespaceId: string;
  namespace: string;
  workflowId: string;
  runId: string;
  /** The request id of the call that made the run. */
  requestId: string;
}

export function blankState(identity: RunIdentity): RunState {
  const info: RunInfo = {
    namespaceId: identity.namespaceId,
    namespace: identity.namespace,
    workflowId: identity.workflowId,
    runId: identity.runId,
    firstRunId: identity.runId,
    originalRunId: identity.runId,
    continuedRunId: '',
    workflowType: '',
    taskQueue: '',
    startMs: 0,
    executionMs: 0,
    attempt: 1,
    cron: '',
    retry: null,
    executionTimeoutMs: 0,
    runTimeoutMs: 0,
    namesRunTimeout: false,
    workflowTaskTimeoutMs: 0,
    executionExpirationMs: 0,
    runExpirationMs: 0,
    parent: null,
    rootWorkflowId: '',
    rootRunId: '',
    createRequestId: identity.requestId,
    resetRequestId: '',
    originalStartMs: 0,
    lastResetMs: 0,
    baseRunIds: [],
    startIdentity: '',
    priority: null,
    userMetadata: null,
    links: [],
  };
  return {
    info,
    status: enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
    closeMs: 0,
    closeEventId: 0,
    nextEventId: 1,
    historyBytes: 0,
    transitions: 0,
    workflowTask: null,
    workflowTaskAttempt: 1,
    taskFailures: 0,
    taskProblem: [],
    pause: null,
    closeAttempted: false,
    previousStartedEventId: 0,
    lastCompletedEventId: 0,
    sticky: null,
    firstTaskAtMs: 0,
    lastWorkerVersion: null,
    workerDeploymentName: '',
    activities: {},
    timers: dictionary(),
    children: {},
    externalSignals: {},
    externalCancels: {},
    updatesAdmitted: [],
    updatesAccepted: [],
    updatesCompleted: [],
    updatesRefused: [],
    approvals: [],
    earlyDecisions: [],
    approvalsOver: [],
    cancelRequested: false,
    cancelRequestId: '',
    signalCount: 0,
    buffered: [],
    bufferedBytes: 0,
    memo: null,
    searchAttributes: null,
    resetPoints: [],
    buildIds: [],
    requestIds: dictionary(),
    callbacks: [],
    versioningOverride: null,
    newRunId: '',
    resetRunId: '',
  };
}
