/** Whose payload is being converted: handed to converters and codecs, which may bind data to it. */

/** The payload belongs to a workflow; when it goes to a child or an external workflow, to that one. */
export interface WorkflowSerializationContext {
  type: 'workflow';
  namespace: string;
  workflowId: string;
}

/** The payload is an activity's argument, result, heartbeat or failure. */
export interface ActivitySerializationContext {
  type: 'activity';
  namespace: string;
  activityId?: string;
  /** The workflow that scheduled the activity, when known. */
  workflowId?: string;
  isLocal: boolean;
}

/** Whose payloads are converted. */
export type SerializationContext = WorkflowSerializationContext | ActivitySerializationContext;
