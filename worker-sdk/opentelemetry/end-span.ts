/** How spans end: what counts as a failure of what they stand for. */
import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { ApplicationFailure } from '../payload/failure.js';

/** Ends a span that went well. */
export function endOk(span: Span): void {
  span.setStatus({ code: SpanStatusCode.OK });
  span.end();
}

/** Ends a span with an error. A failure of category BENIGN is told, but is no error. */
export function endWith(span: Span, error: unknown): void {
  const isBenign = error instanceof ApplicationFailure && error.category === 'BENIGN';
  const exception = error instanceof Error ? error : String(error);
  const message = exception instanceof Error ? exception.message : exception;
  span.setStatus({ code: isBenign ? SpanStatusCode.UNSET : SpanStatusCode.ERROR, message });
  span.recordException(exception);
  span.end();
}
