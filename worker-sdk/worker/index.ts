/**
 * `@perdure/sdk/worker`: run workflows and activities.
 * @module
 */
export { IllegalStateError } from '../definitions/errors.js';
export type { History } from '../definitions/api.js';
export type { Logger, LogLevel, LogMetadata } from '../definitions/logger.js';
export type { CodeLocation, HistoryMismatch } from '../definitions/mismatch.js';
export type { DataConverter } from '../payload/data-converter.js';
export { defaultPayloadConverter } from '../payload/payload-converter.js';
export type { PatchActivationCallback, PatchActivationInput, WorkflowBundleOption } from '../replay/workflow-host.js';
export { NativeConnection } from '../transport/connection.js';
export type {
  ConnectionOptions as NativeConnectionOptions,
  ConnectionPlugin as NativeConnectionPlugin,
} from '../transport/connection-options.js';
export type { TLSConfig } from '../transport/tls.js';
export {
  type BundleOptions,
  type BundlerPlugin,
  bundleWorkflowCode,
  type WorkflowBundle,
  type WorkflowBundlePath,
  type WorkflowBundleWithSourceMap,
} from './bundle.js';
export type { CompiledWorkerOptions } from './compiled-options.js';
export * from './errors.js';
export * from './interceptors.js';
export { DefaultLogger, type LogEntry, LogTimestamp } from './logger.js';
export { type OpenTelemetryMeter, openTelemetryMetricMeter } from './open-telemetry.js';
export type { WorkerPlugin } from './plugin.js';
export { ReplayError } from '../replay/nondeterminism.js';
export type { ReplayHistoriesIterable, ReplayOutcome as ReplayResult } from './replay.js';
export {
  type MetricsExporterConfig,
  type PrometheusMetricsExporter,
  Runtime,
  type RuntimeOptions,
  type TelemetryOptions,
} from './runtime.js';
export type { InjectedSink, InjectedSinkFunction, InjectedSinks } from './sinks.js';
export type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  FixedSizeSlotSupplier,
  LocalActivitySlotInfo,
  SlotInfo,
  SlotMarkUsedContext,
  SlotPermit,
  SlotReleaseContext,
  SlotReserveContext,
  WorkflowSlotInfo,
} from './slots.js';
export { ResourceBasedController, type ResourceBasedSlotOptions, type ResourceBasedTunerOptions } from './resource-slots.js';
export type {
  ResourceBasedSlotsForType,
  ResourceBasedTuner,
  ResourceBasedTunerWithController,
  SlotSupplier,
  TunerHolder,
  WorkerTuner,
} from './tuner.js';
export { type PollerState, type State, Worker, type WorkerStatus } from './worker.js';
export type {
  PollerBehavior,
  PollerBehaviorAutoscaling,
  PollerBehaviorSimpleMaximum,
  ReplayWorkerOptions,
  WorkerOptions,
} from './worker-options.js';
export type { WorkerDeploymentOptions } from './worker-version.js';
