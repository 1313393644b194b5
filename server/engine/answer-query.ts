/** RespondQueryTaskCompleted: what a worker answers to a query-only task. The query may have been asked at another node. */
import { api, enums, type temporal } from '../core/api.js';
import { invalidArgument, notFound } from '../core/errors.js';
import { payloadsExceed } from '../core/validate/payload-size.js';
import { noticeOf } from './announcer.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import type { QueryAnswer } from './pending-queries.js';
import { requireTokenNamespace } from './task-namespace.js';
import { decodeToken } from './task-token.js';

type Request = temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest;
type Result = temporal.api.query.v1.IWorkflowQueryResult;
const RESULT = enums.QueryResultType;
const ResultCodec = api.query.v1.WorkflowQueryResult;

/** An answer that waits for its node longer than this is for nobody. */
const ANSWER_KEPT_MS = 60_000;

export async function answerQuery(engine: Engine, request: Request, _call: Call): Promise<object> {
  const token = decodeToken(request.taskToken, 'q');
  await requireTokenNamespace(engine, token, request.namespace);
  const { completedType, queryResult, errorMessage, failure } = request;
  if (completedType !== RESULT.QUERY_RESULT_TYPE_ANSWERED && completedType !== RESULT.QUERY_RESULT_TYPE_FAILED) {
    throw invalidArgument(
      `Invalid query completion type: expected ANSWERED or FAILED, got ${RESULT[completedType ?? 0] ?? completedType}.`,
    );
  }
  const result: Result = { resultType: completedType, answer: queryResult, errorMessage, failure };
  const pending = engine.queries.find(token.q);
  if (pending) pending.settle(answerOf(result, engine.limits.payloadSizeMax));
  else if (token.n === engine.nodeId || !engine.otherNodes()) throw notFound('query task not found, or already expired');
  else await passOn(engine, token.q, token.n, result);
  return {};
}

/** What the caller of the query is told. An answer that is too large is none. */
export function answerOf({ resultType, answer, errorMessage, failure }: Result, sizeMax: number): QueryAnswer {
  if (resultType !== RESULT.QUERY_RESULT_TYPE_ANSWERED) return { error: errorMessage ?? '', failure };
  return payloadsExceed(answer, sizeMax) ? { error: 'Blob data size exceeds limit.' } : { answer };
}

/** Leaves an answer where the node that asked finds it: the node named, or the one that shared the query. */
export async function passOn(engine: Engine, queryId: string, nodeId: string | undefined, result: Result): Promise<void> {
  const fits = !payloadsExceed(result.answer, engine.limits.payloadSizeMax);
  const kept = fits ? result : { resultType: RESULT.QUERY_RESULT_TYPE_FAILED, errorMessage: 'Blob data size exceeds limit.' };
  const expiresMs = Math.ceil(engine.wall.now()) + ANSWER_KEPT_MS;
  const answer = { queryId, nodeId, answer: ResultCodec.encode(kept).finish(), expiresMs };
  await engine.sharedQueries.answer(answer, noticeOf(engine.nodeId, [{ kind: 'query-answered', queryId }]));
}

/** Fetches the answers that other nodes left for this one. */
export async function takeAnswers(engine: Engine): Promise<void> {
  for (const { queryId, answer } of await engine.sharedQueries.takeAnswers(engine.nodeId)) {
    engine.queries.find(queryId)?.settle(answerOf(ResultCodec.decode(answer), engine.limits.payloadSizeMax));
  }
}
