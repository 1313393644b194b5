/** The trace in log entries, under the names that log backends look for. */
import { type Attributes, context, isSpanContextValid, trace } from '@opentelemetry/api';

/** Ids of the span that is current; nothing when none is. */
export function traceLogAttributes(): Attributes {
  const spanContext = trace.getSpan(context.active())?.spanContext();
  if (!spanContext || !isSpanContextValid(spanContext)) return {};
  const { traceId, spanId, traceFlags } = spanContext;
  return { trace_id: traceId, span_id: spanId, trace_flags: traceFlags.toString(16).padStart(2, '0') };
}
