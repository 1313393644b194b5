/**
 * What this server says it can do. An SDK uses a feature because its flag is on, so a flag is on only when the feature works;
 * whoever finishes one turns it on here.
 */
import { int64, type temporal } from '../core/api.js';
import { DEFAULT_LIMITS } from '../core/limits.js';
import { COMPLETION_BYTES_MAX } from './completion-pages.js';

/** The release of the open API's reference server whose behaviour this one follows; SDKs hold their range of server versions against it. */
export const API_SERVER_VERSION = '1.32.0';

/** GetSystemInfo: for the server as a whole. */
export const SYSTEM_CAPABILITIES: Required<temporal.api.workflowservice.v1.GetSystemInfoResponse.ICapabilities> = {
  /** Headers travel with signals and queries. */
  signalAndQueryHeader: true,
  /** INTERNAL is for defects alone, so that clients need not retry what can never succeed. */
  internalErrorDifferentiation: true,
  /** RespondActivityTaskFailed may carry the last heartbeat's details. */
  activityFailureIncludeHeartbeat: true,
  supportsSchedules: false,
  /** Failures may have their message and stack trace inside an encoded attribute. */
  encodedFailureAttributes: true,
  /** Workers name their builds, which are kept with the tasks they did. Versioning by them in the old ways is refused, as it is by default elsewhere. */
  buildIdBasedVersioning: true,
  /** ModifyWorkflowProperties upserts the memo. */
  upsertMemo: true,
  /** Start may answer with the first workflow task. */
  eagerWorkflowStart: true,
  /** SDK metadata of a completed workflow task is kept in its event. */
  sdkMetadata: true,
  /** CountWorkflowExecutions may group by ExecutionStatus. */
  countGroupByExecutionStatus: true,
  nexus: false,
  serverScaledDeployments: false,
  serverScaledProviderCloudRun: false,
};

/** DescribeNamespace: for one namespace. */
export const NAMESPACE_CAPABILITIES: temporal.api.namespace.v1.NamespaceInfo.ICapabilities = {
  eagerWorkflowStart: true,
  syncUpdate: true,
  asyncUpdate: true,
  /** RecordWorkerHeartbeat: workers that say how they are are found by ListWorkers. */
  workerHeartbeats: true,
  /** A run whose workflow tasks keep failing is found by the search attribute TemporalReportedProblems. */
  reportedProblemsSearchAttribute: true,
  /** A run is paused, so that its worker is asked nothing until it goes on. */
  workflowPause: true,
  standaloneActivities: false,
  /** ShutdownWorker answers that worker's outstanding polls, so that it can let them end by themselves. */
  workerPollCompleteOnShutdown: true,
  /** Answers to polls say whether to poll more or less. */
  pollerAutoscaling: true,
  standaloneActivityStartDelay: false,
  /** A workflow task may be answered in several calls, when its commands are larger than one call may be. */
  workflowTaskCompletionPagination: true,
};

/** DescribeNamespace: sizes in bytes beyond which a request is refused. */
export const NAMESPACE_LIMITS: temporal.api.namespace.v1.NamespaceInfo.ILimits = {
  blobSizeLimitError: int64(DEFAULT_LIMITS.payloadSizeMax),
  memoSizeLimitError: int64(DEFAULT_LIMITS.memoSizeMax),
  /** Of an answer in several calls. */
  workflowTaskCompletionSizeLimitError: int64(COMPLETION_BYTES_MAX),
};
