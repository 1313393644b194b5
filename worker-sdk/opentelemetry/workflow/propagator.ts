/** Trace context and baggage as the W3C writes them (`traceparent`, `tracestate`, `baggage`): what OpenTelemetry's SDKs do by default. */
import {
  type Baggage,
  baggageEntryMetadataFromString,
  type Context,
  createTraceState,
  isSpanContextValid,
  propagation,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';

const TRACE_PARENT = 'traceparent';
const TRACE_STATE = 'tracestate';
const BAGGAGE = 'baggage';
/** Version, trace id, span id, flags; later versions may go on after a dash. */
const PARENT_PATTERN = /^\s?((?!ff)[\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?\s?$/;

export const w3cPropagator: TextMapPropagator = {
  fields: () => [TRACE_PARENT, TRACE_STATE, BAGGAGE],

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const spanContext = trace.getSpanContext(context);
    if (spanContext && isSpanContextValid(spanContext)) {
      const { traceId, spanId, traceFlags, traceState } = spanContext;
      setter.set(carrier, TRACE_PARENT, `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`);
      if (traceState) setter.set(carrier, TRACE_STATE, traceState.serialize());
    }
    const baggage = propagation.getBaggage(context);
    if (baggage && baggage.getAllEntries().length > 0) setter.set(carrier, BAGGAGE, writeBaggage(baggage));
  },

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const first = (key: string): string | undefined => {
      const value = getter.get(carrier, key);
      return Array.isArray(value) ? (value[0] as string | undefined) : (value as string | undefined);
    };
    const spanContext = readParent(first(TRACE_PARENT), first(TRACE_STATE));
    const traced = spanContext ? trace.setSpanContext(context, spanContext) : context;
    const baggage = readBaggage(first(BAGGAGE));
    return baggage ? propagation.setBaggage(traced, baggage) : traced;
  },
};

function readParent(parent: string | undefined, state: string | undefined): SpanContext | undefined {
  const match = PARENT_PATTERN.exec(parent ?? '');
  if (!match) return undefined;
  const [, version, traceId, spanId, flags, more] = match;
  if (version === '00' && more) return undefined;
  const spanContext: SpanContext = {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: Number.parseInt(flags!, 16),
    traceState: state ? createTraceState(state) : undefined,
    isRemote: true,
  };
  return isSpanContextValid(spanContext) ? spanContext : undefined;
}

function writeBaggage(baggage: Baggage): string {
  return baggage
    .getAllEntries()
    .map(([key, { value, metadata }]) => {
      const entry = `${encodeURIComponent(key)}=${encodeURIComponent(value)}`;
      return metadata === undefined ? entry : `${entry};${metadata.toString()}`;
    })
    .join(',');
}

function readBaggage(text: string | undefined): Baggage | undefined {
  if (!text) return undefined;
  const entries: Parameters<typeof propagation.createBaggage>[0] = {};
  for (const part of text.split(',')) {
    const [pair = '', ...properties] = part.split(';');
    const at = pair.indexOf('=');
    if (at <= 0) continue;
    try {
      const value = decodeURIComponent(pair.slice(at + 1).trim());
      const metadata = properties.length > 0 ? baggageEntryMetadataFromString(properties.join(';')) : undefined;
      entries[decodeURIComponent(pair.slice(0, at).trim())] = metadata ? { value, metadata } : { value };
    } catch {
      // An entry that is not encoded as it should be is left out, the others stay.
    }
  }
  return Object.keys(entries).length > 0 ? propagation.createBaggage(entries) : undefined;
}
