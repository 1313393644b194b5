/**
 * `@perdure/sdk/opentelemetry/workflow-interceptors`: the interceptor module that traces workflows.
 * @module
 */
import type { WorkflowInterceptors } from '../../workflow/interceptors.js';
import { OpenTelemetryInboundInterceptor } from './inbound.js';
import { OpenTelemetryOutboundInterceptor } from './outbound.js';

const inbound = [new OpenTelemetryInboundInterceptor()];
const outbound = [new OpenTelemetryOutboundInterceptor()];

/** The interceptors keep nothing: all runs share them. */
export const interceptors = (): WorkflowInterceptors => ({ inbound, outbound });
