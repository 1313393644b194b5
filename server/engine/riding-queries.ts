/** Queries on a workflow task: those that it takes along, of this node and of others, and their results on the way back. */
import { api, type temporal } from '../core/api.js';
import { answerOf, passOn } from './answer-query.js';
import type { Engine } from './engine.js';

type Asked = { [id: string]: temporal.api.query.v1.IWorkflowQuery };
type Results = { [id: string]: temporal.api.query.v1.IWorkflowQueryResult };

/** Undefined when none rides on the run's task. */
export async function ridingQueries(engine: Engine, runId: string): Promise<Asked | undefined> {
  const here = engine.queries.ridingOn(runId).map((query) => [query.id, query.query] as const);
  const nowMs = engine.wall.now();
  if (!engine.queries.ridesElsewhere(runId, nowMs)) return here.length > 0 ? Object.fromEntries(here) : undefined;
  const rows = await engine.sharedQueries.ridingOn(runId, engine.nodeId, nowMs);
  const elsewhere = rows.map((row) => [row.queryId, api.query.v1.WorkflowQuery.decode(row.query)] as const);
  return here.length + elsewhere.length > 0 ? Object.fromEntries([...here, ...elsewhere]) : undefined;
}

/** The task is completed: queries whose results came with it are answered, the others go on waiting. */
export function answerRidingQueries(engine: Engine, results: Results): void {
  for (const [id, result] of Object.entries(results)) {
    const pending = engine.queries.find(id);
    if (pending) {
      engine.queries.unride(pending);
      pending.settle(answerOf(result, engine.limits.payloadSizeMax));
    } else if (engine.otherNodes()) {
      passOn(engine, id, undefined, result).catch((err) =>
        engine.log.warn({ err }, 'the answer to a query did not reach its node; it is asked again'),
      );
    }
  }
}
