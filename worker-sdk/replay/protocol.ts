/**
 * What the replay machine and the workflow runtime say to each other: jobs go in, commands come out. The shapes are those
 * of the field's SDK core, so that interceptors of activations port; markers of our own are one addition. Types only.
 */
import type { coresdk } from '@temporalio/proto';
import type { Payload, temporal } from '../definitions/api.js';

export type Job = Omit<coresdk.workflow_activation.IWorkflowActivationJob, 'variant'>;
export type Activation = Omit<coresdk.workflow_activation.IWorkflowActivation, 'jobs'> & { jobs: Job[] };
export type InitializeWorkflow = coresdk.workflow_activation.IInitializeWorkflow;
export type LocalActivityBackoff = coresdk.activity_result.IDoBackoff;
export type ApiCommand = temporal.api.command.v1.ICommand;
export type UserMetadata = temporal.api.sdk.v1.IUserMetadata;
export type EventGroupMarkers = temporal.api.sdk.v1.IEventGroupMarker[];

/** A marker that the workflow writes for its own sake; nothing resolves it. */
export interface RecordMarker {
  markerName: string;
  details: Record<string, { payloads: Payload[] }>;
}

export type WorkflowCommand = coresdk.workflow_commands.IWorkflowCommand & {
  recordMarker?: RecordMarker | null;
  /** Where the code issued the command; kept only while a mismatch is being explained. */
  issuedAt?: string;
};

/** What one activation of workflow code produced. */
export interface ActivationResult {
  commands: WorkflowCommand[];
  /** Numbers of the SDK flags in use. */
  usedFlags: number[];
  /** VersioningBehavior of the API; absent when the workflow says nothing. */
  versioningBehavior?: number;
}
