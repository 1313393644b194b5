/** Makes OpenTelemetry's API work in the sandbox: the first thing that is loaded there. Elsewhere it leaves the program's own alone. */
import { context, propagation, type Tracer, trace } from '@opentelemetry/api';
import { inWorkflowContext } from '../../workflow/info.js';
import { WorkflowContextManager } from './context-manager.js';
import { w3cPropagator } from './propagator.js';
import { workflowTracerProvider } from './tracer.js';

if (inWorkflowContext()) {
  context.setGlobalContextManager(new WorkflowContextManager());
  propagation.setGlobalPropagator(w3cPropagator);
  trace.setGlobalTracerProvider(workflowTracerProvider);
}

/** The tracer of the interceptors. */
export const tracer: Tracer = workflowTracerProvider.getTracer('@perdure/sdk/workflow');
