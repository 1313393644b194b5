/** RespondWorkflowTaskFailed: a worker could not process its task; another attempt is scheduled. */
import type { temporal } from '../core/api.js';
import { storableFailure } from '../core/failure.js';
import { scheduleWorkflowTask } from '../core/kinds/workflow-task.js';
import { failWorkflowTask } from '../core/kinds/workflow-task-end.js';
import { requireIdentity } from '../core/validate/identity.js';
import type { Call } from './call.js';
import { requireTask } from './complete-workflow-task.js';
import type { Engine } from './engine.js';
import { requireTokenNamespace } from './task-namespace.js';
import { decodeToken } from './task-token.js';
import { transact } from './transact.js';

type Request = temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedRequest;

export async function failWorkflowTaskCall(engine: Engine, request: Request, _call: Call): Promise<object> {
  const token = decodeToken(request.taskToken, 'w');
  await requireTokenNamespace(engine, token, request.namespace);
  const { idLengthMax, payloadSizeMax: sizeMax, payloadSizeWarn: truncatedSizeMax } = engine.limits;
  requireIdentity(request.identity, idLengthMax);
  const failure = request.failure && storableFailure(request.failure, { sizeMax, truncatedSizeMax });
  await transact(engine, token.run, (turn) => {
    requireTask(turn, token);
    failWorkflowTask(turn, {
      cause: request.cause ?? 0,
      failure,
      identity: request.identity ?? '',
      binaryChecksum: request.binaryChecksum ?? '',
    });
    scheduleWorkflowTask(turn);
  });
  return {};
}
