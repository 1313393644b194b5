/** Clients for a server that skips time: while they wait for a workflow's result, it does. */
import type { ClientOptions } from '../client/client.js';
import { Client } from '../client/client.js';
import type { WorkflowClientOptions } from '../client/workflow-client.js';
import { WorkflowClient } from '../client/workflow-client.js';
import type { WorkflowResultOptions } from '../client/workflow-handle.js';
import type { Workflow, WorkflowResultType } from '../definitions/workflow.js';
import type { Connection } from '../transport/connection.js';
import type { TestService } from '../transport/service.js';

/** A workflow client that lets the server skip time while it waits for a result; all else takes its real time. */
export class TimeSkippingWorkflowClient extends WorkflowClient {
  protected readonly testService: TestService;

  constructor(options: WorkflowClientOptions & { connection: Connection }) {
    super(options);
    this.testService = options.connection.testService;
  }

  override async result<T extends Workflow>(workflowId: string, runId?: string, opts?: WorkflowResultOptions): Promise<WorkflowResultType<T>> {
    await this.testService.unlockTimeSkipping({});
    try {
      return await super.result<T>(workflowId, runId, opts);
    } finally {
      await this.testService.lockTimeSkipping({});
    }
  }
}

/** A client whose workflows are those of a {@link TimeSkippingWorkflowClient}. */
export class TimeSkippingClient extends Client {
  override readonly workflow: TimeSkippingWorkflowClient;

  constructor(options: ClientOptions & { connection: Connection }) {
    super(options);
    const { interceptors, workflow } = this.options;
    const { queryRejectCondition } = workflow;
    this.workflow = new TimeSkippingWorkflowClient({
      ...this.baseOptions(),
      connection: options.connection,
      interceptors: interceptors.workflow,
      queryRejectCondition,
    });
  }
}
