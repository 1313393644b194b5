/**
 * `@perdure/sdk`: what clients, workers, workflows and activities have in common. Safe to import from workflow code.
 * @module
 */
export { ActivityCancellationDetails, type ActivityCancellationDetailsOptions } from './activity/cancellation-details.js';
export * from './definitions/activity.js';
export type { Payload, ProtoFailure, Timestamp } from './definitions/api.js';
export type { Duration, StringValue } from './definitions/duration.js';
export * from './definitions/errors.js';
export type { Headers, Next } from './definitions/interceptors.js';
export * from './definitions/logger.js';
export * from './definitions/metrics.js';
export type { CodeLocation, HistoryMismatch } from './definitions/mismatch.js';
export * from './definitions/priority.js';
export * from './definitions/retry-policy.js';
export type { ConverterHint, PayloadTypeInfo, SignalTypeInfo, TransferTypeConverter, TypeInfo } from './definitions/type-info.js';
export * from './definitions/versioning.js';
export * from './definitions/workflow.js';
export * from './definitions/workflow-options.js';
export type { PayloadCodec } from './payload/codec.js';
export { type DataConverter, defaultDataConverter, type LoadedDataConverter } from './payload/data-converter.js';
export * from './payload/encoding.js';
export * from './payload/failure.js';
export * from './payload/failure-converter.js';
export * from './payload/failure-enums.js';
export * from './payload/payload-converter.js';
export * from './payload/search-attributes.js';
export { cutoffStackTrace } from './payload/stack-trace.js';
export { ActivityCancellationType, type ActivityOptions, type LocalActivityOptions } from './workflow/activity-options.js';
export { SuggestContinueAsNewReason } from './workflow/interfaces.js';
export type { WorkflowDefinitionOptions, WorkflowDefinitionOptionsOrGetter } from './workflow/workflow-definition.js';
export type { ActivitySerializationContext, SerializationContext, WorkflowSerializationContext } from './payload/serialization-context.js';
