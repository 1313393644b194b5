/**
 * What workflow code imports. The names are the field's: code written for its TypeScript SDK ports by changing the import.
 *
 * @example
 * ```ts
 * import { proxyActivities, sleep } from '@perdure/sdk/workflow';
 * import type * as activities from './activities.js';
 *
 * const { remind } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });
 *
 * export async function reminder(who: string, after: string): Promise<void> {
 *   await sleep(after);
 *   await remind(who);
 * }
 * ```
 */
export type { Payload } from '../definitions/api.js';
export type { ActivityFunction, ActivityTypeInfoMap, UntypedActivities } from '../definitions/activity.js';
export type { Duration, StringValue } from '../definitions/duration.js';
export * from '../definitions/errors.js';
export type { Headers, Next } from '../definitions/interceptors.js';
export type { CodeLocation, HistoryMismatch } from '../definitions/mismatch.js';
export type { RetryPolicy } from '../definitions/retry-policy.js';
export type {
  BaseWorkflowHandle,
  QueryDefinition,
  SignalDefinition,
  UpdateDefinition,
  Workflow,
  WorkflowQueryOptions,
  WorkflowQueryType,
  WorkflowResultType,
  WorkflowReturnType,
  WorkflowSignalOptions,
  WorkflowSignalType,
} from '../definitions/workflow.js';
export { HandlerUnfinishedPolicy } from '../definitions/workflow.js';
export * from '../definitions/workflow-options.js';
export { defaultPayloadConverter, type PayloadConverter } from '../payload/payload-converter.js';
export {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  NexusOperationFailure,
  rootCause,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowExecutionAlreadyStartedError,
} from '../payload/failure.js';
export {
  defineSearchAttributeKey,
  type SearchAttributePair,
  type SearchAttributes,
  SearchAttributeType,
  type SearchAttributeUpdatePair,
  type SearchAttributeValue,
  TypedSearchAttributes,
} from '../payload/search-attributes.js';
export * from './activities.js';
export { ActivityCancellationType, type ActivityOptions, type LocalActivityOptions } from './activity-options.js';
export * from './approvals.js';
export { AsyncLocalStorage } from './async-local-storage.js';
export { CancellationScope, type CancellationScopeOptions } from './cancellation-scope.js';
export { type ChildWorkflowHandle, executeChild, startChild } from './children.js';
export { condition } from './conditions.js';
export { continueAsNew, makeContinueAsNewFunc } from './continue-as-new.js';
export type {
  EnhancedStackTrace,
  StackTrace,
  StackTraceFileLocation,
  StackTraceFileSlice,
  StackTraceSDKInfo,
} from './enhanced-stack-trace.js';
export { DeterminismViolationError, isCancellation, LocalActivityDoBackoff, WorkflowError } from './errors.js';
export { createEventGroup, type EventGroupMarker } from './event-groups.js';
export { type ExternalWorkflowHandle, getExternalWorkflowHandle } from './external-workflows.js';
export * from './handlers.js';
export * from './info.js';
export * from './interceptors.js';
export {
  ChildWorkflowCancellationType,
  type ChildWorkflowOptions,
  ContinueAsNew,
  type ContinueAsNewOptions,
  ParentClosePolicy,
  type ParentWorkflowInfo,
  type RootWorkflowInfo,
  type UnsafeRandomSource,
  type UnsafeWorkflowInfo,
  type UpdateInfo,
  type WorkflowInfo,
} from './interfaces.js';
export { log } from './logs.js';
export { metricMeter } from './metrics.js';
export { deprecatePatch, patched } from './patches.js';
export { getRandomStream, type WorkflowRandomStream, workflowRandom } from './random-streams.js';
export { proxySinks, type Sink, type SinkCall, type SinkFunction, type Sinks } from './sinks.js';
export { sleep } from './timers.js';
export { Trigger } from './trigger.js';
export { upsertMemo, upsertSearchAttributes } from './upserts.js';
export {
  defineWorkflowOptions,
  setWorkflowOptions,
  type WorkflowDefinitionConfig,
  type WorkflowDefinitionOptions,
  type WorkflowDefinitionOptionsOrGetter,
} from './workflow-definition.js';
