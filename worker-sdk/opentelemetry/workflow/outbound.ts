/** Spans around what a workflow asks for: activities, children, signals, continuing as new. They travel on in headers. */
import { context, type Span, trace } from '@opentelemetry/api';
import type { Headers } from '../../definitions/interceptors.js';
import { currentRun } from '../../workflow/current-run.js';
import { LocalActivityDoBackoff } from '../../workflow/errors.js';
import type {
  ActivityInput,
  ContinueAsNewInput,
  GetLogAttributesInput,
  LocalActivityInput,
  Next,
  SignalWorkflowInput,
  StartChildWorkflowExecutionInput,
  WorkflowOutboundCallsInterceptor,
} from '../../workflow/interceptors.js';
import type { Completion } from '../../workflow/run-context.js';
import { endOk, endWith } from '../end-span.js';
import { headersWithContext } from '../headers.js';
import { traceLogAttributes } from '../log-attributes.js';
import { SPAN_DELIMITER, SpanName } from '../names.js';
import { tracer } from './install.js';
import { outboundTurns, wasTracedThere } from './turns.js';

type NextOf<Method extends keyof WorkflowOutboundCallsInterceptor> = Next<WorkflowOutboundCallsInterceptor, Method>;
interface Call {
  readonly seq: number;
  readonly headers: Headers;
}

/** Traces what a workflow asks for. */
export class OpenTelemetryOutboundInterceptor implements WorkflowOutboundCallsInterceptor {
  scheduleActivity(input: ActivityInput, next: NextOf<'scheduleActivity'>): Promise<unknown> {
    return traced(SpanName.ACTIVITY_START, input.activityType, input, next, currentRun().activities);
  }

  scheduleLocalActivity(input: LocalActivityInput, next: NextOf<'scheduleLocalActivity'>): Promise<unknown> {
    return traced(SpanName.ACTIVITY_START, input.activityType, input, next, currentRun().activities);
  }

  startChildWorkflowExecution(
    input: StartChildWorkflowExecutionInput,
    next: NextOf<'startChildWorkflowExecution'>,
  ): Promise<[Promise<string>, Promise<unknown>]> {
    return traced(SpanName.CHILD_WORKFLOW_START, input.workflowType, input, next, currentRun().childStarts);
  }

  signalWorkflow(input: SignalWorkflowInput, next: NextOf<'signalWorkflow'>): Promise<void> {
    return traced(SpanName.WORKFLOW_SIGNAL, input.signalName, input, next, currentRun().signalsSent);
  }

  continueAsNew(input: ContinueAsNewInput, next: NextOf<'continueAsNew'>): Promise<never> {
    const span = tracer.startSpan(`${SpanName.CONTINUE_AS_NEW}${SPAN_DELIMITER}${input.options.workflowType}`);
    try {
      return inSpan(span, input, next);
    } finally {
      // Nothing is waited for: the run ends here.
      endOk(span);
    }
  }

  getLogAttributes(
    input: GetLogAttributesInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'getLogAttributes'>,
  ): Record<string, unknown> {
    return next({ ...traceLogAttributes(), ...input });
  }
}

function inSpan<Input extends { headers: Headers }, Result>(span: Span, input: Input, next: (input: Input) => Result): Result {
  const inside = trace.setSpan(context.active(), span);
  return context.with(inside, () => next({ ...input, headers: headersWithContext(input.headers, inside) }));
}

/**
 * Makes a call in a span that ends with what the workflow waits for. The span hangs on what settles the call's promise, not on the promise:
 * one made of it would settle a turn later and change the order in which workflow code goes on, and a handler on it would hide that
 * workflow code has none.
 */
function traced<Input extends Call, Result>(
  operation: SpanName,
  subject: string,
  input: Input,
  next: (input: Input) => Promise<Result>,
  waiting: Map<number, Completion>,
): Promise<Result> {
  const span = tracer.startSpan(`${operation}${SPAN_DELIMITER}${subject}`);
  let promise: Promise<Result>;
  try {
    promise = inSpan(span, input, next);
  } catch (error) {
    endWith(span, error);
    throw error;
  }
  const end = (error: unknown) => (error instanceof LocalActivityDoBackoff ? span.end() : endWith(span, error));
  const completion = waiting.get(input.seq);
  if (completion) {
    tell(completion, () => endOk(span), end);
    return wasTracedThere() ? outboundTurns(promise) : promise;
  }
  // Another interceptor comes in between, or the call has failed before it began.
  return promise.then(
    (result) => {
      endOk(span);
      return result;
    },
    (error: unknown) => {
      end(error);
      throw error;
    },
  );
}

function tell(completion: Completion, resolved: () => void, rejected: (error: unknown) => void): void {
  const { resolve, reject } = completion;
  completion.resolve = (value) => {
    resolved();
    resolve(value);
  };
  completion.reject = (error) => {
    rejected(error);
    reject(error);
  };
}
