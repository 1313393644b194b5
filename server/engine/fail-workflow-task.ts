/** RespondWorkflowTaskFailed: a worker could not process its task; another attempt is scheduled. */
import type { temporal } from '../core/api.js';
import { failWorkflowTask, scheduleWorkflowTask } from '../core/kinds/workflow-task.js';
import type { Call } from './call.js';
import { requireTask } from './complete-workflow-task.js';
import type { Engine } from './engine.js';
import { decodeToken } from './task-token.js';
import { transact } from './transact.js';

type Request = temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedRequest;

export async function failWorkflowTaskCall(engine: Engine, request: Request, _call: Call): Promise<object> {
  const token = decodeToken(request.taskToken, 'w');
  await transact(engine, token.run, (turn) => {
    requireTask(turn, token);
    failWorkflowTask(turn, {
      cause: request.cause ?? 0,
      failure: request.failure,
      identity: request.identity ?? '',
      binaryChecksum: request.binaryChecksum ?? '',
      workerVersion: request.workerVersion,
    });
    scheduleWorkflowTask(turn);
  });
  return {};
}
