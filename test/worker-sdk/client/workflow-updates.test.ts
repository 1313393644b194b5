/** Updates as a client sends them and waits for them, alone and together with a start. */
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '../../../worker-sdk/client/index.js';
import { jsonPayload, payloadValue, useFakeService } from '../../helpers/fake-client.js';
import { FakeError } from '../../helpers/fake-workflow-service.js';

let client: Client;
const service = useFakeService((made) => {
  client = made;
});

describe('updates', () => {
  const ref = { workflowExecution: { workflowId: 'w', runId: 'r' }, updateId: 'u' };

  test('are sent again, as they are, until they are accepted, and then polled', async () => {
    service.on('UpdateWorkflowExecution', (_request, { nth }) => ({ updateRef: ref, stage: nth < 3 ? 1 : 2 }));
    service.on('PollWorkflowExecutionUpdate', (_request, { nth }) =>
      nth < 2 ? { stage: 2 } : { stage: 3, outcome: { success: { payloads: [jsonPayload(9)] } } },
    );
    expect(await client.workflow.getHandle('w').executeUpdate('add', { args: [4] })).toBe(9);
    const requests = service.requests('UpdateWorkflowExecution');
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map((request) => request.request.meta.updateId)).size).toBe(1);
    expect(requests[0].waitPolicy.lifecycleStage).toBe(3);
    expect(requests[0].request.input.args.payloads.map(payloadValue)).toEqual([4]);
  });

  test('that fail carry their failure', async () => {
    service.on('UpdateWorkflowExecution', () => ({
      updateRef: ref,
      stage: 3,
      outcome: { failure: { message: 'rejected', applicationFailureInfo: {} } },
    }));
    const error = await client.workflow
      .getHandle('w')
      .executeUpdate<never, []>('add')
      .catch((err) => err);
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(error.cause.message).toBe('rejected');
    expect(service.requests('PollWorkflowExecutionUpdate')).toHaveLength(0);
  });

  test('that are waited for too long end with an error of their own', async () => {
    service.on('PollWorkflowExecutionUpdate', async (_request, call) => {
      await call.gone;
      return {};
    });
    const handle = client.workflow.getHandle('w').getUpdateHandle('u');
    const waiting = client.withDeadline(Date.now() + 100, () => handle.result());
    await expect(waiting).rejects.toBeInstanceOf(WorkflowUpdateRPCTimeoutOrCancelledError);
  });

  test('with start are one operation, and the workflow is known as soon as it is started', async () => {
    service.on('ExecuteMultiOperation', () => ({
      responses: [
        { startWorkflow: { runId: 'r' } },
        { updateWorkflow: { updateRef: ref, stage: 3, outcome: { success: { payloads: [jsonPayload('total')] } } } },
      ],
    }));
    const operation = new WithStartWorkflowOperation('w', { workflowId: 'w', taskQueue: 'q', workflowIdConflictPolicy: 'USE_EXISTING' });
    expect(await client.workflow.executeUpdateWithStart('add', { startWorkflowOperation: operation, args: [1] })).toBe('total');
    expect((await operation.workflowHandle()).workflowId).toBe('w');
    await expect(client.workflow.executeUpdateWithStart('add', { startWorkflowOperation: operation })).rejects.toThrow(
      'already been executed',
    );
    const [request] = service.requests('ExecuteMultiOperation');
    expect(request.operations[0].startWorkflow.workflowId).toBe('w');
    expect(request.operations[1].updateWorkflow.request.input.name).toBe('add');
  });

  test('with start whose start fails say so', async () => {
    service.on('ExecuteMultiOperation', () => {
      const aborted = {
        code: 10,
        message: 'aborted',
        details: [{ type_url: 'type.googleapis.com/temporal.api.failure.v1.MultiOperationExecutionAborted' }],
      };
      const statuses = [{ code: status.ALREADY_EXISTS, message: 'there', details: [] }, aborted];
      throw new FakeError(status.ALREADY_EXISTS, 'failed', [
        { name: 'temporal.api.errordetails.v1.MultiOperationExecutionFailure', message: { statuses } },
      ]);
    });
    const operation = new WithStartWorkflowOperation('w', { workflowId: 'w', taskQueue: 'q', workflowIdConflictPolicy: 'FAIL' });
    const update = client.workflow.executeUpdateWithStart('add', { startWorkflowOperation: operation });
    await expect(update).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    await expect(operation.workflowHandle()).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
  });
});
