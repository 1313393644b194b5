/** What workers answer to queries: in a task of their own, or together with a workflow task that they rode on. */
import { enums, type temporal } from '../core/api.js';
import { invalidArgument, notFound } from '../core/errors.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { decodeToken } from './task-token.js';

type Request = temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest;
type Results = { [id: string]: temporal.api.query.v1.IWorkflowQueryResult };
const ANSWERED = enums.QueryResultType.QUERY_RESULT_TYPE_ANSWERED;

export async function answerQuery(engine: Engine, request: Request, _call: Call): Promise<object> {
  const token = decodeToken(request.taskToken, 'q');
  const pending = engine.queries.find(token.q);
  if (!pending) throw notFound('query task not found or already expired');
  if (request.completedType === ANSWERED) pending.settle({ answer: request.queryResult });
  else if (request.completedType === enums.QueryResultType.QUERY_RESULT_TYPE_FAILED) pending.settle({ error: request.errorMessage ?? '', failure: request.failure });
  else throw invalidArgument('Invalid query completion type.');
  return {};
}

/** A workflow task completed: the queries that rode on it have their answers; others go on waiting. */
export function answerRidingQueries(engine: Engine, runId: string, results: Results): void {
  for (const pending of engine.queries.ridingOn(runId)) {
    const result = results[pending.id];
    if (!result) continue;
    engine.queries.unride(pending);
    if (result.resultType === ANSWERED) pending.settle({ answer: result.answer });
    else pending.settle({ error: result.errorMessage ?? '', failure: result.failure });
  }
}
