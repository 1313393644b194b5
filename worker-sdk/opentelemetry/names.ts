/** Names of spans, attributes and the header: those of the field's OpenTelemetry interceptors, so that traces of mixed workers connect. */

/** The header that carries the trace context, as a payload of text map entries. */
export const TRACE_HEADER = '_tracer-data';

/** Attributes of spans. */
export const RUN_ID_ATTR_KEY = 'run_id';
export const WORKFLOW_ID_ATTR_KEY = 'temporalWorkflowId';
export const ACTIVITY_ID_ATTR_KEY = 'temporalActivityId';
export const UPDATE_ID_ATTR_KEY = 'temporalUpdateId';
export const TERMINATE_REASON_ATTR_KEY = 'temporalTerminateReason';

/** Between the name of an operation and what it is about: `RunActivity:charge`. */
export const SPAN_DELIMITER = ':';

/** What a span stands for. */
export const SpanName = {
  /** A client starts a workflow. */
  WORKFLOW_START: 'StartWorkflow',
  /** A client or a workflow sends a signal. */
  WORKFLOW_SIGNAL: 'SignalWorkflow',
  WORKFLOW_SIGNAL_WITH_START: 'SignalWithStartWorkflow',
  WORKFLOW_QUERY: 'QueryWorkflow',
  WORKFLOW_START_UPDATE: 'StartWorkflowUpdate',
  WORKFLOW_UPDATE_WITH_START: 'UpdateWithStartWorkflow',
  WORKFLOW_TERMINATE: 'TerminateWorkflow',
  WORKFLOW_CANCEL: 'CancelWorkflow',
  WORKFLOW_DESCRIBE: 'DescribeWorkflow',
  /** A workflow handles what came in. */
  WORKFLOW_HANDLE_SIGNAL: 'HandleSignal',
  WORKFLOW_HANDLE_QUERY: 'HandleQuery',
  WORKFLOW_HANDLE_UPDATE: 'HandleUpdate',
  WORKFLOW_VALIDATE_UPDATE: 'ValidateUpdate',
  /** A run, from its first task to its end. */
  WORKFLOW_EXECUTE: 'RunWorkflow',
  /** A workflow starts a child. */
  CHILD_WORKFLOW_START: 'StartChildWorkflow',
  /** A workflow calls an activity: from the call to the result. */
  ACTIVITY_START: 'StartActivity',
  /** One attempt of an activity. */
  ACTIVITY_EXECUTE: 'RunActivity',
  CONTINUE_AS_NEW: 'ContinueAsNew',
} as const;
export type SpanName = (typeof SpanName)[keyof typeof SpanName];
