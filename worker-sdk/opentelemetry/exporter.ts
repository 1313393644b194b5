/** Takes the spans that workflow code ended out of the sandbox, to the span processor of the program. */
import {
  type Attributes,
  createTraceState,
  type HrTime,
  type Link,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
} from '@opentelemetry/api';
import type { InjectedSink } from '../worker/sinks.js';
import type { WorkflowInfo } from '../workflow/interfaces.js';
import { RUN_ID_ATTR_KEY, WORKFLOW_ID_ATTR_KEY } from './names.js';
import type { OpenTelemetryWorkflowExporter, SerializableSpan, SerializableSpanContext, TimedSpanEvent } from './serializable-span.js';

/**
 * A span of a workflow as span processors take it: those of OpenTelemetry's SDK, both major versions. `name`, `kind`, `startTime`, `endTime`, `duration`,
 * `status`, `links`, `events`, `ended`, `instrumentationScope` (`name` and `version`), `droppedAttributesCount`, `droppedEventsCount` and
 * `droppedLinksCount` are those of {@link SerializableSpan}.
 */
export interface ReadableWorkflowSpan<Resource> {
  readonly name: string;
  readonly kind: SpanKind;
  /** Ids of the span, its trace state alive again. */
  spanContext(): SpanContext;
  /** For version 2 of the SDK; absent for a root span. */
  readonly parentSpanContext?: SpanContext;
  /** For version 1 of the SDK; absent for a root span. */
  readonly parentSpanId?: string;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly status: SpanStatus;
  /** Those of the span, laid over what `workflowInfo()` says in texts, numbers and booleans, and the ids of the run. */
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events: TimedSpanEvent[];
  readonly ended: boolean;
  /** What the span belongs to, as given to {@link makeWorkflowExporter}. */
  readonly resource: Resource;
  readonly instrumentationScope: { readonly name: string; readonly version?: string };
  /** For version 1 of the SDK: the same as `instrumentationScope`. */
  readonly instrumentationLibrary: { readonly name: string; readonly version?: string };
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

/** The part of a `SpanProcessor` that is used here. */
export interface WorkflowSpanProcessor<Resource> {
  /** Takes one span that has ended. */
  onEnd(span: ReadableWorkflowSpan<Resource>): void;
}

/** The part of a `SpanExporter` that is used here. */
export interface WorkflowSpanExporter<Resource> {
  /** Takes spans that have ended, as lists of one; what it answers goes nowhere. */
  export(spans: ReadableWorkflowSpan<Resource>[], onResult: (result: unknown) => void): void;
}

/**
 * The sink that workflow interceptors send their spans to.
 *
 * @param target A span processor (a `BatchSpanProcessor`), or an exporter.
 * @param resource What the spans belong to, as given to the tracer provider.
 * @example
 * const sinks: InjectedSinks<OpenTelemetrySinks> = { exporter: makeWorkflowExporter(new BatchSpanProcessor(exporter), resource) };
 */
export function makeWorkflowExporter<Resource>(
  target: WorkflowSpanProcessor<Resource> | WorkflowSpanExporter<Resource>,
  resource: Resource,
): InjectedSink<OpenTelemetryWorkflowExporter> {
  return {
    export: {
      fn(info, spans) {
        const readable = spans.map((span) => readableSpan(span, info, resource));
        if ('onEnd' in target) for (const span of readable) target.onEnd(span);
        else target.export(readable, () => undefined);
      },
    },
  };
}

function readableSpan<Resource>(span: SerializableSpan, info: WorkflowInfo, resource: Resource): ReadableWorkflowSpan<Resource> {
  const { spanContext, parentSpanContext, instrumentationScope, ...rest } = span;
  const own = liveContext(spanContext);
  return {
    ...rest,
    spanContext: () => own,
    parentSpanContext: parentSpanContext && liveContext(parentSpanContext),
    parentSpanId: parentSpanContext?.spanId,
    attributes: { ...infoAttributes(info), ...span.attributes },
    resource,
    instrumentationScope,
    instrumentationLibrary: instrumentationScope,
  };
}

function liveContext({ traceState, ...rest }: SerializableSpanContext): SpanContext {
  return { ...rest, traceState: traceState ? createTraceState(traceState) : undefined };
}

/** What the workflow knows of itself, as far as attributes can hold it. */
function infoAttributes(info: WorkflowInfo): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(info)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') attributes[key] = value;
  }
  attributes[WORKFLOW_ID_ATTR_KEY] = info.workflowId;
  attributes[RUN_ID_ATTR_KEY] = info.runId;
  return attributes;
}
