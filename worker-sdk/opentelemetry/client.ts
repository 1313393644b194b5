/** Spans around the calls of a client; starts, signals, queries and updates carry the trace to the workflow. */
import { type Span, type Tracer, trace } from '@opentelemetry/api';
import type {
  Next,
  WorkflowCancelInput,
  WorkflowClientInterceptor,
  WorkflowDescribeInput,
  WorkflowQueryInput,
  WorkflowSignalInput,
  WorkflowSignalWithStartInput,
  WorkflowStartInput,
  WorkflowStartOutput,
  WorkflowStartUpdateInput,
  WorkflowStartUpdateOutput,
  WorkflowStartUpdateWithStartInput,
  WorkflowStartUpdateWithStartOutput,
  WorkflowTerminateInput,
} from '../client/interceptors.js';
import type {
  DescribeWorkflowExecutionResponse,
  RequestCancelWorkflowExecutionResponse,
  TerminateWorkflowExecutionResponse,
} from '../client/types.js';
import { headersWithContext } from './headers.js';
import { type InterceptorOptions, instrument } from './instrument.js';
import { RUN_ID_ATTR_KEY, SPAN_DELIMITER, SpanName, TERMINATE_REASON_ATTR_KEY, UPDATE_ID_ATTR_KEY, WORKFLOW_ID_ATTR_KEY } from './names.js';

type NextOf<Method extends keyof WorkflowClientInterceptor> = Next<WorkflowClientInterceptor, Method>;

/**
 * Traces a client.
 * @example
 * const client = new Client({ interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] } });
 */
export class OpenTelemetryWorkflowClientInterceptor implements WorkflowClientInterceptor {
  protected readonly tracer: Tracer;

  constructor(options: InterceptorOptions = {}) {
    this.tracer = options.tracer ?? trace.getTracer('@perdure/sdk/client');
  }

  startWithDetails(input: WorkflowStartInput, next: NextOf<'startWithDetails'>): Promise<WorkflowStartOutput> {
    return this.traced(SpanName.WORKFLOW_START, input.workflowType, input.options.workflowId, async (span) => {
      const output = await next({ ...input, headers: headersWithContext(input.headers) });
      span.setAttribute(RUN_ID_ATTR_KEY, output.runId);
      return output;
    });
  }

  signal(input: WorkflowSignalInput, next: NextOf<'signal'>): Promise<void> {
    return this.traced(SpanName.WORKFLOW_SIGNAL, input.signalName, input.workflowExecution.workflowId, () =>
      next({ ...input, headers: headersWithContext(input.headers) }),
    );
  }

  signalWithStart(input: WorkflowSignalWithStartInput, next: NextOf<'signalWithStart'>): Promise<string> {
    return this.traced(SpanName.WORKFLOW_SIGNAL_WITH_START, input.workflowType, input.options.workflowId, async (span) => {
      const runId = await next({ ...input, headers: headersWithContext(input.headers) });
      span.setAttribute(RUN_ID_ATTR_KEY, runId);
      return runId;
    });
  }

  startUpdate(input: WorkflowStartUpdateInput, next: NextOf<'startUpdate'>): Promise<WorkflowStartUpdateOutput> {
    return this.traced(SpanName.WORKFLOW_START_UPDATE, input.updateName, input.workflowExecution.workflowId, async (span) => {
      if (input.options.updateId) span.setAttribute(UPDATE_ID_ATTR_KEY, input.options.updateId);
      const output = await next({ ...input, headers: headersWithContext(input.headers) });
      span.setAttribute(RUN_ID_ATTR_KEY, output.workflowRunId);
      return output;
    });
  }

  startUpdateWithStart(
    input: WorkflowStartUpdateWithStartInput,
    next: NextOf<'startUpdateWithStart'>,
  ): Promise<WorkflowStartUpdateWithStartOutput> {
    const { workflowId } = input.workflowStartOptions;
    return this.traced(SpanName.WORKFLOW_UPDATE_WITH_START, input.updateName, workflowId, async (span) => {
      if (input.updateOptions.updateId) span.setAttribute(UPDATE_ID_ATTR_KEY, input.updateOptions.updateId);
      const output = await next({
        ...input,
        workflowStartHeaders: headersWithContext(input.workflowStartHeaders),
        updateHeaders: headersWithContext(input.updateHeaders),
      });
      if (output.workflowExecution.runId) span.setAttribute(RUN_ID_ATTR_KEY, output.workflowExecution.runId);
      return output;
    });
  }

  query(input: WorkflowQueryInput, next: NextOf<'query'>): Promise<unknown> {
    return this.onExecution(
      SpanName.WORKFLOW_QUERY,
      input,
      () => next({ ...input, headers: headersWithContext(input.headers) }),
      input.queryType,
    );
  }

  terminate(input: WorkflowTerminateInput, next: NextOf<'terminate'>): Promise<TerminateWorkflowExecutionResponse> {
    return this.onExecution(SpanName.WORKFLOW_TERMINATE, input, (span) => {
      if (input.reason) span.setAttribute(TERMINATE_REASON_ATTR_KEY, input.reason);
      return next(input);
    });
  }

  cancel(input: WorkflowCancelInput, next: NextOf<'cancel'>): Promise<RequestCancelWorkflowExecutionResponse> {
    return this.onExecution(SpanName.WORKFLOW_CANCEL, input, () => next(input));
  }

  describe(input: WorkflowDescribeInput, next: NextOf<'describe'>): Promise<DescribeWorkflowExecutionResponse> {
    return this.onExecution(SpanName.WORKFLOW_DESCRIBE, input, () => next(input));
  }

  private onExecution<T>(
    operation: SpanName,
    { workflowExecution }: WorkflowDescribeInput,
    fn: (span: Span) => Promise<T>,
    subject?: string,
  ): Promise<T> {
    return this.traced(operation, subject, workflowExecution.workflowId, (span) => {
      if (workflowExecution.runId) span.setAttribute(RUN_ID_ATTR_KEY, workflowExecution.runId);
      return fn(span);
    });
  }

  private traced<T>(
    operation: SpanName,
    subject: string | undefined,
    workflowId: string | null | undefined,
    fn: (span: Span) => Promise<T>,
  ): Promise<T> {
    return instrument(this.tracer, subject === undefined ? operation : `${operation}${SPAN_DELIMITER}${subject}`, (span) => {
      span.setAttribute(WORKFLOW_ID_ATTR_KEY, workflowId ?? '');
      return fn(span);
    });
  }
}
