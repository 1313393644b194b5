/** Whose payload is being converted: handed to converters and codecs, which may bind data to it. */

/** The payload belongs to a workflow; when it goes to a child or an external workflow, to that one. */
export interface WorkflowSerializationContext {
  type: 'workflow';
  /** Of the workflow. */
  namespace: string;
  /** All runs of the workflow have the same context. */
  workflowId: string;
}

/** The payload is an activity's argument, result, heartbeat or failure. */
export interface ActivitySerializationContext {
  type: 'activity';
  /** Of the activity, which is that of its workflow. */
  namespace: string;
  /** Not known where an activity is completed by its token. */
  activityId?: string;
  /** The workflow that scheduled the activity, when known. */
  workflowId?: string;
  /** Whether it was called by `proxyLocalActivities`. */
  isLocal: boolean;
}

/** Whose payloads are converted. */
export type SerializationContext = WorkflowSerializationContext | ActivitySerializationContext;
