/** What a client hands back about workflows. */
import type { temporal } from '../definitions/api.js';
import { enumNames } from '../definitions/enum-names.js';
import type { Priority } from '../definitions/priority.js';
import type { SearchAttributes, SearchAttributeValue, TypedSearchAttributes } from '../payload/search-attributes.js';

export type { CallContext } from '../transport/call-context.js';
export type { Metadata } from '../transport/channel.js';
export type { ConnectionLike } from '../transport/connection.js';
export type { HealthService, OperatorService, TestService, WorkflowService } from '../transport/service.js';

/** Names a run by `workflowId` and `runId`; without `runId` it is the workflow's latest. */
export interface WorkflowExecution {
  workflowId: string;
  runId?: string;
}

/** The request of StartWorkflowExecution. */
export type StartWorkflowExecutionRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
/** The request of GetWorkflowExecutionHistory. */
export type GetWorkflowExecutionHistoryRequest = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryRequest;
/** The answer of DescribeWorkflowExecution. */
export type DescribeWorkflowExecutionResponse = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
/** A run as the API describes it. */
export type RawWorkflowExecutionInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo;
/** The answer of TerminateWorkflowExecution. */
export type TerminateWorkflowExecutionResponse = temporal.api.workflowservice.v1.ITerminateWorkflowExecutionResponse;
/** The answer of RequestCancelWorkflowExecution. */
export type RequestCancelWorkflowExecutionResponse = temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionResponse;

/** Status of a run, in a word. */
export type WorkflowExecutionStatusName =
  | 'UNSPECIFIED'
  | 'RUNNING'
  | 'COMPLETED'
  | 'FAILED'
  | 'CANCELLED'
  | 'TERMINATED'
  | 'CONTINUED_AS_NEW'
  | 'TIMED_OUT'
  | 'PAUSED'
  | 'UNKNOWN';

/** A run as {@link WorkflowClient.list} shows it. */
export interface WorkflowExecutionInfo {
  /** Workflow type. */
  type: string;
  /** Chosen by whoever started it; all runs of a chain have the same one. */
  workflowId: string;
  /** UUID of the run. */
  runId: string;
  /** The queue whose workers run it. */
  taskQueue: string;
  /** The API's number, `code`, and its `name`: `UNKNOWN` for one that is newer than this SDK. */
  status: { code: temporal.api.enums.v1.WorkflowExecutionStatus; name: WorkflowExecutionStatusName };
  /** Number of events. */
  historyLength: number;
  /** Size of the history in bytes. */
  historySize?: number;
  /** When it was started. */
  startTime: Date;
  /** When it started to run: later than `startTime` after a start delay, a cron's or a retry's pause. */
  executionTime?: Date;
  /** When it ended; absent while it is open. */
  closeTime?: Date;
  /** As it is now. */
  memo?: Record<string, unknown>;
  /** @deprecated Use `typedSearchAttributes`. */
  searchAttributes: SearchAttributes;
  /** As they are now, by their types; empty for none. */
  typedSearchAttributes: TypedSearchAttributes;
  /** The run that started it as its child, by `workflowId` and `runId`; absent for none. */
  parentExecution?: { workflowId: string; runId: string };
  /** The first of the runs that led to it, by `workflowId` and `runId`; the run itself where there is no parent. */
  rootExecution?: { workflowId: string; runId: string };
  /** The message this was read from. */
  raw: RawWorkflowExecutionInfo;
  /** Its fields are undefined where nothing was given. */
  priority?: Priority;
}

/** A run as {@link WorkflowHandle.describe} shows it. */
export type WorkflowExecutionDescription = Omit<WorkflowExecutionInfo, 'raw'> & {
  /** The message this was read from. */
  raw: DescribeWorkflowExecutionResponse;
  /** Markdown that was given at the start. */
  staticDetails: () => Promise<string | undefined>;
  /** One line of Markdown that was given at the start. */
  staticSummary: () => Promise<string | undefined>;
};

/** How many workflows match, in all and by group when the query has GROUP BY. */
export interface CountWorkflowExecution {
  /** All that match, at about the time of the call. */
  count: number;
  /** One for each value of the search attribute that the query groups by, its `count` and in `groupValues` the value; empty without GROUP BY. */
  groups: { count: number; groupValues: SearchAttributeValue[] }[];
}

/** When a query is refused. */
export const QueryRejectCondition = {
  NONE: 'NONE',
  /** The run is closed. */
  NOT_OPEN: 'NOT_OPEN',
  /** The run is closed and did not complete. */
  NOT_COMPLETED_CLEANLY: 'NOT_COMPLETED_CLEANLY',
} as const;
export type QueryRejectCondition = (typeof QueryRejectCondition)[keyof typeof QueryRejectCondition];
/** Query reject condition: the API's number for a name, and the name for a number. */
export const [encodeQueryRejectCondition, decodeQueryRejectCondition] = enumNames(
  { NONE: 1, NOT_OPEN: 2, NOT_COMPLETED_CLEANLY: 3 },
  'QUERY_REJECT_CONDITION_',
);

/** How far an update has come. */
export const WorkflowUpdateStage = {
  /** The server has it; not yet durable, so nothing can wait for it. */
  ADMITTED: 'ADMITTED',
  /** The workflow has validated and accepted it. */
  ACCEPTED: 'ACCEPTED',
  /** Its handler has finished. */
  COMPLETED: 'COMPLETED',
} as const;
export type WorkflowUpdateStage = (typeof WorkflowUpdateStage)[keyof typeof WorkflowUpdateStage];
/** Workflow update stage: the API's number for a name, and the name for a number. */
export const [encodeWorkflowUpdateStage] = enumNames(
  { ADMITTED: 1, ACCEPTED: 2, COMPLETED: 3 },
  'UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_',
);
