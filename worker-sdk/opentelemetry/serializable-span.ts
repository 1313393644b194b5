/** A span on its way out of the sandbox: data only. */
import type { Attributes, HrTime, Link, SpanContext, SpanKind, SpanStatus } from '@opentelemetry/api';
import type { Sink, Sinks } from '../workflow/sinks.js';

/** A span context whose trace state is text: `traceState` in the form of the header of that name. */
export type SerializableSpanContext = Omit<SpanContext, 'traceState'> & { traceState?: string };

/** Something that happened while a span was open: `name`, `time` and `attributes`. `droppedAttributesCount` is absent: none are dropped. */
export interface TimedSpanEvent {
  time: HrTime;
  name: string;
  attributes?: Attributes;
  droppedAttributesCount?: number;
}

/**
 * A span of OpenTelemetry as plain data, to leave the sandbox with. `name`, `kind`, `spanContext`, `parentSpanContext`, `status`, `attributes`, `links`,
 * `events` and `instrumentationScope` (its `version` may be absent) are as OpenTelemetry has them. Nothing is dropped: `droppedAttributesCount`,
 * `droppedEventsCount` and `droppedLinksCount` are 0.
 */
export interface SerializableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanContext: SerializableSpanContext;
  readonly parentSpanContext?: SerializableSpanContext;
  /** By the workflow's clock, as all times here. */
  readonly startTime: HrTime;
  /** The same as the start, or later: workflow time moves with its tasks. */
  readonly endTime: HrTime;
  /** From the start to the end. */
  readonly duration: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events: TimedSpanEvent[];
  /** Only spans that have ended are handed out. */
  readonly ended: boolean;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
  readonly instrumentationScope: { readonly name: string; readonly version?: string };
}

/** Takes spans of workflows. */
export interface OpenTelemetryWorkflowExporter extends Sink {
  /** Takes spans that have ended, as lists of one. Not called while history is replayed. */
  export(spans: SerializableSpan[]): void;
}

/** The sinks that workflow interceptors need; see `makeWorkflowExporter`. */
export interface OpenTelemetrySinks extends Sinks {
  /** Its name is what workflow code calls it by. */
  exporter: OpenTelemetryWorkflowExporter;
}
