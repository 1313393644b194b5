/**
 * The tracer of workflow code. Ids come from a random stream of their own, so that a replay gives a span the id which is in the headers of
 * what it asked for, and tracing changes nothing of what the workflow draws itself. Times are the workflow's.
 */
import {
  type Context,
  context as contextApi,
  createContextKey,
  isSpanContextValid,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { maybeCurrentRun } from '../../workflow/current-run.js';
import { fillFrom } from '../../workflow/random.js';
import type { RunContext } from '../../workflow/run-context.js';
import type { SerializableSpan } from '../serializable-span.js';
import { WorkflowSpan } from './span.js';

const STREAM = '@perdure/sdk/opentelemetry';
/** In the context of what is never replayed: queries and update validators. */
const LIVE = createContextKey('perdure: not replayed');

/** A context in which spans draw nothing from the workflow's randomness, and have real times. */
export function liveContext(context: Context): Context {
  return context.setValue(LIVE, true);
}

class WorkflowTracer implements Tracer {
  constructor(private readonly scope: SerializableSpan['instrumentationScope']) {}

  startSpan(name: string, options: SpanOptions = {}, context: Context = contextApi.active()): Span {
    const run = maybeCurrentRun();
    const parent = options.root ? undefined : validParent(context);
    // Outside of a run, and where the one who began the trace does not record it, a span only passes the trace on.
    if (!run || (parent && !(parent.traceFlags & TraceFlags.SAMPLED))) return trace.wrapSpanContext(parent ?? NO_SPAN);
    const isLive = context.getValue(LIVE) === true;
    const random = isLive ? () => run.info.unsafe.random.random() : () => run.random.named(STREAM);
    const spanContext: SpanContext = {
      traceId: parent?.traceId ?? hexId(16, random),
      spanId: hexId(8, random),
      traceFlags: TraceFlags.SAMPLED,
      traceState: parent?.traceState,
    };
    const { kind = SpanKind.INTERNAL, startTime, attributes, links } = options;
    return new WorkflowSpan({
      name,
      kind,
      spanContext,
      parent,
      startTime,
      attributes,
      links,
      scope: this.scope,
      now: clockOf(run, isLive),
    });
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    ...rest: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
  ): ReturnType<F> {
    const fn = rest.at(-1) as F;
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : {};
    const parent = rest.length > 2 ? (rest[1] as Context) : contextApi.active();
    const span = this.startSpan(name, options, parent);
    return contextApi.with(trace.setSpan(parent, span), () => fn(span) as ReturnType<F>);
  }
}

const NO_SPAN: SpanContext = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: TraceFlags.NONE };

function validParent(context: Context): SpanContext | undefined {
  const spanContext = trace.getSpanContext(context);
  return spanContext && isSpanContextValid(spanContext) ? spanContext : undefined;
}

function clockOf(run: RunContext, isLive: boolean): () => number {
  return isLive ? () => run.info.unsafe.now() : () => run.nowMs;
}

function hexId(length: number, random: () => number): string {
  const bytes = fillFrom(random, new Uint8Array(length));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const workflowTracerProvider: TracerProvider = {
  getTracer: (name, version) => new WorkflowTracer(version === undefined ? { name } : { name, version }),
};
