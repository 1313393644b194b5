/** Queries of a task, and what workflow code answers to them. */
import type { ProtoFailure, temporal } from '../definitions/api.js';
import type { ActivationResult, Job } from './protocol.js';
import { ReplayError } from './nondeterminism.js';
import type { WorkflowTask, WorkflowTaskOutcome } from './workflow-host.js';

/** The id of a query that is the whole task. */
export const LONE_QUERY = 'lone';
const ANSWERED = 1;
const FAILED = 2;

type Query = temporal.api.query.v1.IWorkflowQuery;
export type QueryResult = temporal.api.query.v1.IWorkflowQueryResult;
export interface QueryRequest {
  id: string;
  query: Query;
}

export function queriesOf(task: WorkflowTask): QueryRequest[] {
  if (task.query) return [{ id: LONE_QUERY, query: task.query }];
  return Object.entries(task.queries ?? {}).map(([id, query]) => ({ id, query }));
}

/** Asks the workflow each query, in an activation of its own. */
export function answerQueries(queries: readonly QueryRequest[], activate: (job: Job) => ActivationResult): Record<string, QueryResult> {
  const results: Record<string, QueryResult> = {};
  for (const { id, query } of queries) results[id] = answer(id, query, activate);
  return results;
}

function answer(id: string, query: Query, activate: (job: Job) => ActivationResult): QueryResult {
  const job: Job = {
    queryWorkflow: {
      queryId: id,
      queryType: query.queryType,
      arguments: query.queryArgs?.payloads ?? [],
      headers: query.header?.fields ?? {},
    },
  };
  for (const { respondToQuery } of activate(job).commands) {
    if (respondToQuery?.queryId !== id) continue;
    if (respondToQuery.succeeded) {
      const { response } = respondToQuery.succeeded;
      return { resultType: ANSWERED, answer: response ? { payloads: [response] } : undefined };
    }
    const failure: ProtoFailure = respondToQuery.failed ?? { message: 'The query failed' };
    return { resultType: FAILED, errorMessage: failure.message, failure };
  }
  throw new ReplayError(`The workflow did not answer query '${query.queryType}'`);
}

export function loneQueryAnswer(result: QueryResult): Extract<WorkflowTaskOutcome, { kind: 'query' }>['answer'] {
  const { resultType, answer: queryResult, errorMessage, failure } = result;
  return { completedType: resultType, queryResult, errorMessage, failure };
}
