/** The start half of an update-with-start. */
import { IllegalStateError } from '../definitions/errors.js';
import type { Workflow } from '../definitions/workflow.js';
import type { WorkflowIdConflictPolicy } from '../definitions/workflow-options.js';
import type { WorkflowHandle } from './workflow-handle.js';
import type { WorkflowStartOptions } from './workflow-options.js';

/**
 * How to start the workflow that {@link WorkflowClient.executeUpdateWithStart} updates. For one use.
 *
 * @example
 * const startWorkflowOperation = new WithStartWorkflowOperation(cart, {
 *   workflowId, taskQueue: 'carts', args: [], workflowIdConflictPolicy: 'USE_EXISTING',
 * });
 * const total = await client.workflow.executeUpdateWithStart(addItem, { startWorkflowOperation, args: [item] });
 * const handle = await startWorkflowOperation.workflowHandle();
 */
export class WithStartWorkflowOperation<T extends Workflow> {
  private used = false;
  private resolve!: (handle: WorkflowHandle<T>) => void;
  private reject!: (err: unknown) => void;
  private readonly handlePromise: Promise<WorkflowHandle<T>>;

  constructor(
    /** Name of the workflow, or its function. */
    public workflowTypeOrFunc: string | T,
    /** Of the start. `workflowIdConflictPolicy` says what happens when the workflow runs: `FAIL` or `USE_EXISTING`. */
    public options: WorkflowStartOptions<T> & { workflowIdConflictPolicy: WorkflowIdConflictPolicy },
  ) {
    this.handlePromise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever never asks for the handle must not be told of its failure by an unhandled rejection.
    this.handlePromise.catch(() => undefined);
  }

  /** The handle of the workflow, as soon as it is started or found. */
  workflowHandle(): Promise<WorkflowHandle<T>> {
    return this.handlePromise;
  }

  /** @internal Claims the operation and answers with what settles its handle. */
  use(): { resolve: (handle: WorkflowHandle<T>) => void; reject: (err: unknown) => void } {
    if (this.used) throw new IllegalStateError('This WithStartWorkflowOperation instance has already been executed');
    this.used = true;
    return { resolve: this.resolve, reject: this.reject };
  }
}
