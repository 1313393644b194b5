/** The program's own OpenTelemetry, which keeps spans in memory, and questions about them. */
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

export const exporter = new InMemorySpanExporter();
export const spanProcessor = new SimpleSpanProcessor(exporter);

export function installTracing(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [spanProcessor] }));
}

export const resource = new BasicTracerProvider()['_resource' as never] as ReadableSpan['resource'];

/** The id of a span's parent, whichever version of OpenTelemetry's SDK made the span. */
const parentId = (span: ReadableSpan): string | undefined =>
  span.parentSpanContext?.spanId ?? (span as unknown as { parentSpanId?: string }).parentSpanId;

/** All spans of the trace that a span belongs to, in the form `name < name of parent < …`, sorted. */
export function pathsOf(traceId: string): string[] {
  const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const path = (span: ReadableSpan): string => {
    const parent = byId.get(parentId(span) ?? '');
    return parent ? `${span.name} < ${path(parent)}` : parentId(span) ? `${span.name} < ?` : span.name;
  };
  return spans.map(path).sort();
}

/** Runs `fn` in a span of the test's own. Answers with the trace's id and what it returned. */
export async function inTrace<T>(fn: () => Promise<T>): Promise<{ traceId: string; result: T }> {
  return trace.getTracer('test').startActiveSpan('test', async (span) => {
    try {
      return { traceId: span.spanContext().traceId, result: await fn() };
    } finally {
      span.end();
    }
  });
}
