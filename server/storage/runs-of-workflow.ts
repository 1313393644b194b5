/**
 * How the runs of a workflow id are found, in the text of statements: the open one by that id, closed ones by its hash, each by an index. Namespaces are
 * compared in a way that no index answers, so that of all indexes the one by workflow id is taken, also while the tables are too small for the
 * planner to see why: plans outlive that time. Nor does any other index have their order, nulls last.
 */

/** The open run; its row is `o`. */
export const openRun = (columns: string, namespaceId: string, workflowId: string): string =>
  `select ${columns} from runs_open o where o.workflow_id = ${workflowId} and o.namespace_id is not distinct from ${namespaceId} limit 1`;

/** The newest closed runs, newest first; their rows are `c`. */
export const newestClosed = (columns: string, namespaceId: string, workflowId: string, { limit = '1', where = '' } = {}): string => `
  select ${columns} from runs_closed c
  where hashtextextended(c.workflow_id, 0) = hashtextextended(${workflowId}, 0) and c.workflow_id = ${workflowId} and c.namespace_id is not distinct from ${namespaceId}${where}
  order by c.run_id desc nulls last limit ${limit}`;

/** The open run and then closed ones, newest first, which are not looked for when the former is enough. */
export const newestRuns = (columns: (row: 'o' | 'c') => string, namespaceId: string, workflowId: string, limit = '1'): string => `
  (${openRun(columns('o'), namespaceId, workflowId)})
  union all (${newestClosed(columns('c'), namespaceId, workflowId, { limit })})
  limit ${limit}`;

/** Whether the workflow id of the row `alias` has been used. An "exists" would be planned as a hash of all runs. */
export const usedBefore = (alias: string): string => `(
        (${openRun('o.run_id', `${alias}.namespace_id`, `${alias}.workflow_id`)}) is not null
        or (${newestClosed('c.run_id', `${alias}.namespace_id`, `${alias}.workflow_id`)}) is not null)`;
