/**
 * `@perdure/sdk/opentelemetry/workflow`: interceptors for workflow code, to be exported by an interceptor module of one's own. Where nothing
 * else is intercepted, the ready-made module `@perdure/sdk/opentelemetry/workflow-interceptors` does.
 *
 * @example
 * ```ts
 * export const interceptors = () => ({
 *   inbound: [new OpenTelemetryInboundInterceptor()],
 *   outbound: [new OpenTelemetryOutboundInterceptor()],
 * });
 * ```
 * @module
 */
import './install.js';
import type { WorkflowInternalsInterceptor } from '../../workflow/interceptors.js';

export { SPAN_DELIMITER, SpanName } from '../names.js';
export type {
  OpenTelemetrySinks,
  OpenTelemetryWorkflowExporter,
  SerializableSpan,
  SerializableSpanContext,
  TimedSpanEvent,
} from '../serializable-span.js';
export { OpenTelemetryInboundInterceptor } from './inbound.js';
export { OpenTelemetryOutboundInterceptor } from './outbound.js';

/** Does nothing: here so that interceptor modules port. Nothing is kept between runs that a run's end would have to free. */
export class OpenTelemetryInternalsInterceptor implements WorkflowInternalsInterceptor {}
