/**
 * `@perdure/sdk/opentelemetry`: traces of clients, workflows and activities, and metrics, through `@opentelemetry/api`. Names of spans,
 * attributes and the header are the field's: traces connect with workers and clients of its other SDKs.
 *
 * Needs the package `@opentelemetry/api`; what records and exports is the program's choice.
 * @module
 */
export { OpenTelemetryActivityInboundInterceptor, OpenTelemetryActivityOutboundInterceptor } from './activity.js';
export { OpenTelemetryWorkflowClientInterceptor } from './client.js';
export { makeWorkflowExporter, type ReadableWorkflowSpan, type WorkflowSpanExporter, type WorkflowSpanProcessor } from './exporter.js';
export type { InterceptorOptions } from './instrument.js';
export { SPAN_DELIMITER, SpanName, TRACE_HEADER } from './names.js';
export { OpenTelemetryPlugin, type OpenTelemetryPluginOptions, workflowInterceptorsPath } from './plugin.js';
export type {
  OpenTelemetrySinks,
  OpenTelemetryWorkflowExporter,
  SerializableSpan,
  SerializableSpanContext,
  TimedSpanEvent,
} from './serializable-span.js';
export { type OpenTelemetryMeter, openTelemetryMetricMeter } from '../worker/open-telemetry.js';
