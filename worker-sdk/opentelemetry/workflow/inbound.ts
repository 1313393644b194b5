/** Spans around what reaches a workflow: its run, signals, updates, queries. */
import { type Context, context, type Span, trace } from '@opentelemetry/api';
import type {
  Next,
  QueryInput,
  SignalInput,
  UpdateInput,
  WorkflowExecuteInput,
  WorkflowInboundCallsInterceptor,
} from '../../workflow/interceptors.js';
import { workflowInfo } from '../../workflow/info.js';
import { ContinueAsNew } from '../../workflow/interfaces.js';
import { endOk, endWith } from '../end-span.js';
import { extractContextFromHeaders } from '../headers.js';
import { SPAN_DELIMITER, SpanName, TRACE_HEADER, UPDATE_ID_ATTR_KEY } from '../names.js';
import { tracer } from './install.js';
import { liveContext } from './tracer.js';
import { inboundTurns, wasTracedThere } from './turns.js';

type NextOf<Method extends keyof WorkflowInboundCallsInterceptor> = Next<WorkflowInboundCallsInterceptor, Method>;

/** Traces what reaches a workflow. */
export class OpenTelemetryInboundInterceptor implements WorkflowInboundCallsInterceptor {
  execute(input: WorkflowExecuteInput, next: NextOf<'execute'>): Promise<unknown> {
    const name = `${SpanName.WORKFLOW_EXECUTE}${SPAN_DELIMITER}${workflowInfo().workflowType}`;
    return traced(name, input, () => next(input));
  }

  handleSignal(input: SignalInput, next: NextOf<'handleSignal'>): Promise<void> {
    return traced(`${SpanName.WORKFLOW_HANDLE_SIGNAL}${SPAN_DELIMITER}${input.signalName}`, input, () => next(input));
  }

  handleUpdate(input: UpdateInput, next: NextOf<'handleUpdate'>): Promise<unknown> {
    return traced(`${SpanName.WORKFLOW_HANDLE_UPDATE}${SPAN_DELIMITER}${input.name}`, input, (span) => {
      span.setAttribute(UPDATE_ID_ATTR_KEY, input.updateId);
      return next(input);
    });
  }

  validateUpdate(input: UpdateInput, next: NextOf<'validateUpdate'>): void {
    const parent = liveContext(parentOf(input));
    const span = tracer.startSpan(`${SpanName.WORKFLOW_VALIDATE_UPDATE}${SPAN_DELIMITER}${input.name}`, {}, parent);
    span.setAttribute(UPDATE_ID_ATTR_KEY, input.updateId);
    try {
      context.with(trace.setSpan(parent, span), () => next(input));
      endOk(span);
    } catch (error) {
      endWith(span, error);
      throw error;
    }
  }

  handleQuery(input: QueryInput, next: NextOf<'handleQuery'>): Promise<unknown> {
    const name = `${SpanName.WORKFLOW_HANDLE_QUERY}${SPAN_DELIMITER}${input.queryName}`;
    return traced(name, input, () => next(input), liveContext(parentOf(input)));
  }
}

type Incoming = Pick<SignalInput, 'headers'>;

function parentOf({ headers }: Incoming): Context {
  return extractContextFromHeaders(headers) ?? context.active();
}

/**
 * Runs a call in a span that ends with it, and gives back the call's own promise: one made of it would settle a turn later, and tracing
 * must not change the order in which workflow code goes on.
 */
function traced<T>(name: string, input: Incoming, call: (span: Span) => Promise<T>, parent: Context = parentOf(input)): Promise<T> {
  const span = tracer.startSpan(name, {}, parent);
  let promise: Promise<T>;
  try {
    promise = context.with(trace.setSpan(parent, span), () => call(span));
  } catch (error) {
    endWith(span, error);
    throw error;
  }
  // The SDK handles what the promise is rejected with, in any case.
  promise.then(
    () => endOk(span),
    (error: unknown) => (error instanceof ContinueAsNew ? endOk(span) : endWith(span, error)),
  );
  return wasTracedThere() ? inboundTurns(promise, TRACE_HEADER in input.headers) : promise;
}
