/** A span on its way out of the sandbox: data only. */
import type { Attributes, HrTime, Link, SpanContext, SpanKind, SpanStatus } from '@opentelemetry/api';
import type { Sink, Sinks } from '../workflow/sinks.js';

/** A span context whose trace state is text. */
export type SerializableSpanContext = Omit<SpanContext, 'traceState'> & { traceState?: string };

/** Something that happened while a span was open. */
export interface TimedSpanEvent {
  time: HrTime;
  name: string;
  attributes?: Attributes;
  droppedAttributesCount?: number;
}

/** A span of OpenTelemetry as plain data, to leave the sandbox with. */
export interface SerializableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanContext: SerializableSpanContext;
  readonly parentSpanContext?: SerializableSpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events: TimedSpanEvent[];
  readonly ended: boolean;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
  readonly instrumentationScope: { readonly name: string; readonly version?: string };
}

/** Takes spans of workflows. */
export interface OpenTelemetryWorkflowExporter extends Sink {
  export(spans: SerializableSpan[]): void;
}

/** The sinks that workflow interceptors need; see `makeWorkflowExporter`. */
export interface OpenTelemetrySinks extends Sinks {
  exporter: OpenTelemetryWorkflowExporter;
}
