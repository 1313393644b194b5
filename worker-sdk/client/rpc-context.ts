/** What the functions behind a client's methods need to make their calls. */
import type { LoadedDataConverter } from '../payload/data-converter.js';
import type { WorkflowSerializationContext } from '../payload/serialization-context.js';
import type { EagerStarts } from '../transport/eager-starts.js';
import type { WorkflowService } from '../transport/service.js';

/** Service, names and converter of one client. */
export interface RpcContext {
  readonly service: WorkflowService;
  readonly namespace: string;
  readonly identity: string;
  readonly converter: LoadedDataConverter;
  /** Set when workers of this process may take first tasks and the server can hand them out. */
  eagerStarts(): EagerStarts | undefined;
}

export function workflowContext(ctx: RpcContext, workflowId: string): WorkflowSerializationContext {
  return { type: 'workflow', namespace: ctx.namespace, workflowId };
}
