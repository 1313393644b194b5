/**
 * `@perdure/sdk/client`: start workflows and talk to them.
 * @module
 */
export * from '../definitions/errors.js';
export type { Duration, StringValue } from '../definitions/duration.js';
export type { SignalTypeInfo } from '../definitions/type-info.js';
export type { RetryPolicy } from '../definitions/retry-policy.js';
export * from '../definitions/workflow.js';
export {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
} from '../payload/failure.js';
export { defaultDataConverter, type DataConverter } from '../payload/data-converter.js';
export { defaultPayloadConverter } from '../payload/payload-converter.js';
export type { ActivityFunction, UntypedActivities } from '../definitions/activity.js';
export type { Payload, ProtoFailure } from '../definitions/api.js';
export { Connection, type ConnectionLike } from '../transport/connection.js';
export {
  type ConnectionOptions,
  type ConnectionOptionsWithDefaults,
  type ConnectionPlugin,
  LOCAL_TARGET,
} from '../transport/connection-options.js';
export { type BackoffOptions, defaultGrpcRetryOptions, type GrpcRetryOptions, isRetryableError } from '../transport/retry.js';
export type { TLSConfig } from '../transport/tls.js';
export * from './async-completion-client.js';
export { BaseClient, type BaseClientOptions } from './base-client.js';
export * from './client.js';
export * from './errors.js';
export * from './interceptors.js';
export type { AsyncWorkflowListIterable, IntoHistoriesOptions, ListOptions } from './list-workflows.js';
export * from './schedule-client.js';
export * from './schedule-times.js';
export * from './schedule-types.js';
export * from './types.js';
export { WithStartWorkflowOperation } from './with-start-operation.js';
export * from './workflow-client.js';
export type {
  GetWorkflowHandleOptions,
  GetWorkflowUpdateHandleOptions,
  WorkflowHandle,
  WorkflowHandleWithFirstExecutionRunId,
  WorkflowHandleWithSignaledRunId,
  WorkflowHandleWithStartDetails,
  WorkflowResultOptions,
  WorkflowUpdateHandle,
} from './workflow-handle.js';
export * from './workflow-options.js';
