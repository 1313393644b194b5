/** The trace context in headers, on either side of the sandbox. */
import { type Context, context, defaultTextMapGetter, defaultTextMapSetter, propagation } from '@opentelemetry/api';
import type { Headers } from '../definitions/interceptors.js';
import { defaultPayloadConverter } from '../payload/payload-converter.js';
import { TRACE_HEADER } from './names.js';

/** The context that headers carry; undefined when they carry none. */
export function extractContextFromHeaders(headers: Headers): Context | undefined {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  const carrier = defaultPayloadConverter.fromPayload<Record<string, string>>(payload);
  return propagation.extract(context.active(), carrier, defaultTextMapGetter);
}

/** Headers with the given context added; the same ones when there is nothing to tell. */
export function headersWithContext(headers: Headers, from: Context = context.active()): Headers {
  const carrier: Record<string, string> = {};
  propagation.inject(from, carrier, defaultTextMapSetter);
  if (Object.keys(carrier).length === 0) return headers;
  return { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(carrier)! };
}
