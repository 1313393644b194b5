/** QueryWorkflow: asks a worker about a run. A query sees everything that was acknowledged before it, and leaves no trace. */
import { enums, type Failure, type temporal } from '../core/api.js';
import { detail, ServiceError } from '../core/errors.js';
import { isRunning } from '../core/kinds/run.js';
import { isPaused } from '../core/kinds/workflow-task.js';
import type { RunState } from '../core/run-state.js';
import { validateQueryWorkflow } from '../core/validate/query-workflow.js';
import { askQuery, unanswered } from './ask-query.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { readRun } from './find-run.js';
import { longPollMs } from './long-poll.js';
import type { PendingQuery, QueryAnswer } from './pending-queries.js';

type Request = temporal.api.workflowservice.v1.IQueryWorkflowRequest;
type Response = temporal.api.workflowservice.v1.IQueryWorkflowResponse;
const REJECT = enums.QueryRejectCondition;
const STATUS = enums.WorkflowExecutionStatus;

export async function queryRun(engine: Engine, request: Request, call: Call): Promise<Response> {
  const namespace = await engine.registry.require(request.namespace);
  validateQueryWorkflow(request, engine.limits);
  const { state } = await readRun(engine, namespace, request.execution);
  if (isRejected(state, request.queryRejectCondition ?? 0)) return { queryRejected: { status: state.status } };
  if (isPaused(state)) return { queryRejected: { status: state.status } }; // its worker is asked nothing
  const answer = await ask(engine, state, request.query!, call);
  if (answer instanceof Error) throw answer;
  if ('error' in answer) throw queryFailed(answer.error, answer.failure);
  return { queryResult: answer.answer ?? undefined };
}

function isRejected(state: RunState, condition: number): boolean {
  if (isRunning(state)) return false;
  if (condition === REJECT.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY) return state.status !== STATUS.WORKFLOW_EXECUTION_STATUS_COMPLETED;
  return condition === REJECT.QUERY_REJECT_CONDITION_NOT_OPEN;
}

const queryFailed = (message: string, failure?: Failure | null): ServiceError =>
  new ServiceError('INVALID_ARGUMENT', message, [detail('QueryFailedFailure', failure ? { failure } : {})]);

async function ask(engine: Engine, state: RunState, query: temporal.api.query.v1.IWorkflowQuery, call: Call): Promise<QueryAnswer | Error> {
  const waitMs = longPollMs(engine, call);
  let settle: PendingQuery['settle'] = () => {};
  let settled = false;
  const over = new Promise<QueryAnswer | Error>((resolve) => {
    settle = (answer) => {
      settled = true;
      resolve(answer);
    };
  });
  const { namespaceId, runId } = state.info;
  const pending: PendingQuery = {
    id: engine.ids.newId(),
    namespaceId,
    runId,
    query,
    untilMs: engine.wall.now() + waitMs,
    settle,
    settled: () => settled,
    over,
  };
  const timer = setTimeout(() => settle(unanswered(engine, state)), waitMs);
  call.onCancelled(() => settle(new ServiceError('CANCELLED', 'the caller went away')));
  engine.queries.add(pending);
  askQuery(engine, pending, state).catch((error) => {
    if (!settled) engine.log.error({ err: error, runId }, 'a query could not be asked');
    settle(error);
  });
  const answer = await over;
  clearTimeout(timer);
  engine.queries.remove(pending);
  return answer;
}
