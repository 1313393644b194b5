/** Spans around calls outside of the sandbox. */
import { type Context, context, type Span, type Tracer } from '@opentelemetry/api';
import { endOk, endWith } from './end-span.js';

/** Options of client and activity interceptors. */
export interface InterceptorOptions {
  /** Default: the global tracer provider's. */
  readonly tracer?: Tracer;
}

/** Runs `fn` in a span that ends with it. */
export function instrument<T>(
  tracer: Tracer,
  name: string,
  fn: (span: Span) => Promise<T>,
  { parent = context.active(), isOk }: { parent?: Context; isOk?: (error: unknown) => boolean } = {},
): Promise<T> {
  return tracer.startActiveSpan(name, {}, parent, async (span) => {
    try {
      const result = await fn(span);
      endOk(span);
      return result;
    } catch (error) {
      if (isOk?.(error)) endOk(span);
      else endWith(span, error);
      throw error;
    }
  });
}
