/** A span of workflow code. When it ends it goes out through a sink, except while history is replayed: then it went out before. */
import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from '@opentelemetry/api';
import { callSink } from '../../workflow/sinks.js';
import type { SerializableSpan, SerializableSpanContext, TimedSpanEvent } from '../serializable-span.js';

/** Where spans go; see `makeWorkflowExporter`. */
const SINK = 'exporter';

export interface NewSpan {
  name: string;
  kind: SpanKind;
  spanContext: SpanContext;
  parent: SpanContext | undefined;
  startTime: TimeInput | undefined;
  attributes: Attributes | undefined;
  links: Link[] | undefined;
  scope: SerializableSpan['instrumentationScope'];
  /** Milliseconds since 1970. */
  now: () => number;
}

export class WorkflowSpan implements Span {
  readonly #given: NewSpan;
  #name: string;
  #attributes: Attributes = {};
  #links: Link[] = [];
  #events: TimedSpanEvent[] = [];
  #status: SpanStatus = { code: SpanStatusCode.UNSET };
  readonly #startTime: HrTime;
  #ended = false;

  constructor(given: NewSpan) {
    this.#given = given;
    this.#name = given.name;
    this.#startTime = hrTime(given.startTime ?? given.now());
    if (given.attributes) this.setAttributes(given.attributes);
    if (given.links) this.addLinks(given.links);
  }

  spanContext(): SpanContext {
    return this.#given.spanContext;
  }

  isRecording(): boolean {
    return !this.#ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (!this.#ended && value !== undefined && value !== null) this.#attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) this.setAttribute(key, value);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.#ended) return this;
    const isTime = typeof attributesOrTime === 'number' || Array.isArray(attributesOrTime) || attributesOrTime instanceof Date;
    const at = isTime ? (attributesOrTime as TimeInput) : (time ?? this.#given.now());
    this.#events.push({ name, time: hrTime(at), attributes: isTime ? {} : { ...(attributesOrTime as Attributes | undefined) } });
    return this;
  }

  addLink({ context: { traceId, spanId, traceFlags }, attributes }: Link): this {
    if (!this.#ended) this.#links.push({ context: { traceId, spanId, traceFlags }, attributes: { ...attributes } });
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus({ code, message }: SpanStatus): this {
    // As in OpenTelemetry's SDKs: what is OK stays OK, and only an error has a message.
    if (this.#ended || code === SpanStatusCode.UNSET || this.#status.code === SpanStatusCode.OK) return this;
    this.#status = message === undefined ? { code } : { code, message };
    return this;
  }

  updateName(name: string): this {
    if (!this.#ended) this.#name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const parts: { name?: string; message?: string; stack?: string; code?: string | number } =
      typeof exception === 'string' ? { message: exception } : exception;
    const attributes: Attributes = {};
    const type = parts.code ?? parts.name;
    if (type !== undefined) attributes['exception.type'] = String(type);
    if (parts.message) attributes['exception.message'] = parts.message;
    if (parts.stack) attributes['exception.stacktrace'] = parts.stack;
    this.addEvent('exception', attributes, time);
  }

  end(endTime?: TimeInput): void {
    if (this.#ended) return;
    this.#ended = true;
    const { kind, parent, spanContext, scope, now } = this.#given;
    const end = hrTime(endTime ?? now());
    const span: SerializableSpan = {
      name: this.#name,
      kind,
      spanContext: serializable(spanContext),
      parentSpanContext: parent && serializable(parent),
      startTime: this.#startTime,
      endTime: end,
      duration: difference(this.#startTime, end),
      status: this.#status,
      attributes: this.#attributes,
      links: this.#links,
      events: this.#events,
      ended: true,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
      instrumentationScope: scope,
    };
    callSink(SINK, 'export', [span]);
  }
}

function serializable({ traceId, spanId, traceFlags, isRemote, traceState }: SpanContext): SerializableSpanContext {
  return { traceId, spanId, traceFlags, isRemote, traceState: traceState?.serialize() };
}

function hrTime(time: TimeInput): HrTime {
  if (Array.isArray(time)) return time;
  const ms = time instanceof Date ? time.getTime() : time;
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

function difference(from: HrTime, to: HrTime): HrTime {
  const nanos = Math.max(0, (to[0] - from[0]) * 1e9 + to[1] - from[1]);
  return [Math.floor(nanos / 1e9), nanos % 1e9];
}
