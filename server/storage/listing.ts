/** Listing and counting runs by a checked query: the query becomes a WHERE clause with parameters only. */
import { enums } from '../core/api.js';
import type { Attribute, CheckedQuery, Filter } from '../core/list-query/check.js';
import type { QueryValue } from '../core/list-query/values.js';
import type { Database } from './database.js';
import { BUILD_COLUMNS, buildIdsOf, DERIVED } from './derived-attributes.js';

const T = enums.IndexedValueType;

/** What a list shows of a run. */
export interface ListedRun {
  runId: string;
  workflowId: string;
  status: number;
  workflowType: string;
  taskQueue: string;
  startMs: number;
  executionMs: number;
  closeMs: number | null;
  nextEventId: number;
  historyBytes: number;
  transitions: number;
  parentWorkflowId: string | null;
  parentRunId: string | null;
  rootWorkflowId: string;
  rootRunId: string;
  memo: Buffer | null;
  searchAttributes: Buffer | null;
  /** Builds of the workers that have worked on it. */
  buildIds: string[];
}

/** Where the next page begins: after this run, in list order. */
export interface ListPosition {
  closeMs: number | null;
  startMs: number;
  runId: string;
}

/** Facts of a run by the name that queries give them. What a run is only known by when it has closed is null before. */
const SYSTEM_COLUMNS: Record<string, string> = {
  WorkflowId: 'workflow_id',
  RunId: 'run_id::text',
  WorkflowType: 'workflow_type',
  StartTime: 'start_ms',
  ExecutionTime: 'execution_ms',
  CloseTime: 'close_ms',
  ExecutionStatus: 'status',
  TaskQueue: 'task_queue',
  HistoryLength: 'case when close_ms is not null then next_event_id - 1 end',
  HistorySizeBytes: 'case when close_ms is not null then history_bytes end',
  ExecutionDuration: '(close_ms - execution_ms)',
  StateTransitionCount: 'case when close_ms is not null then transitions end',
  ParentWorkflowId: 'parent_workflow_id',
  ParentRunId: 'parent_run_id::text',
  RootWorkflowId: 'coalesce(root_workflow_id, workflow_id)',
  RootRunId: 'coalesce(root_run_id, run_id)::text',
};

const S = enums.WorkflowExecutionStatus;
/** Of runs that have no close: they run, or are paused. */
const OPEN_STATUSES = new Set<number>([S.WORKFLOW_EXECUTION_STATUS_RUNNING, S.WORKFLOW_EXECUTION_STATUS_PAUSED]);

const COLUMNS = `run_id, workflow_id, status, workflow_type, task_queue, start_ms, execution_ms, close_ms, next_event_id, history_bytes, transitions,
  parent_workflow_id, parent_run_id, coalesce(root_workflow_id, workflow_id) as root_workflow_id, coalesce(root_run_id, run_id) as root_run_id, memo, search_attributes, ${BUILD_COLUMNS}`;

export class Listing {
  constructor(private readonly database: Database) {}

  async list(namespaceId: string, query: CheckedQuery, limit: number, after: ListPosition | undefined): Promise<ListedRun[]> {
    if (after?.closeMs !== null) return this.page(namespaceId, query, limit, (values) => (after ? behindClosed(after, values) : ''));
    // each part is a range of the index; joined by "or" they would be read from the first run on
    const open = await this.page(namespaceId, query, limit, (values) => behindOpen(after, values));
    return open.length === limit ? open : [...open, ...(await this.page(namespaceId, query, limit - open.length, () => 'close_ms is not null'))];
  }

  private async page(namespaceId: string, query: CheckedQuery, limit: number, position: (values: unknown[]) => string): Promise<ListedRun[]> {
    const values: unknown[] = [namespaceId];
    const where = [clause(query.filter, values), position(values)].filter(Boolean).map((c) => ` and ${c}`);
    values.push(limit);
    const rows = await this.database.query({
      text: `select ${COLUMNS} from runs where namespace_id = $1${where.join('')}
        order by close_ms desc, start_ms desc, run_id desc limit $${values.length}`,
      values,
    });
    return rows.map(listed);
  }

  /** How many; by status when the query groups. */
  async count(namespaceId: string, query: CheckedQuery): Promise<{ status: number | undefined; count: number }[]> {
    const values: unknown[] = [namespaceId];
    const condition = clause(query.filter, values);
    const where = `where namespace_id = $1${condition ? ` and ${condition}` : ''}`;
    if (!query.groupBy) {
      const rows = await this.database.query<{ count: number }>({ text: `select count(*)::int8 as count from runs ${where}`, values });
      return [{ status: undefined, count: rows[0]!.count }];
    }
    return this.database.query<{ status: number; count: number }>({ text: `select status, count(*)::int8 as count from runs ${where} group by status order by status`, values });
  }
}

function listed(r: Record<string, unknown>): ListedRun {
  return {
    runId: r.run_id as string,
    workflowId: r.workflow_id as string,
    status: r.status as number,
    workflowType: r.workflow_type as string,
    taskQueue: r.task_queue as string,
    startMs: r.start_ms as number,
    executionMs: r.execution_ms as number,
    closeMs: r.close_ms as number | null,
    nextEventId: r.next_event_id as number,
    historyBytes: r.history_bytes as number,
    transitions: r.transitions as number,
    parentWorkflowId: r.parent_workflow_id as string | null,
    parentRunId: r.parent_run_id as string | null,
    rootWorkflowId: r.root_workflow_id as string,
    rootRunId: r.root_run_id as string,
    memo: r.memo as Buffer | null,
    searchAttributes: r.search_attributes as Buffer | null,
    buildIds: buildIdsOf(r),
  };
}

/** Open runs after a position, in the order of lists: open runs (no close) first, then by close, each by start, newest first. */
function behindOpen(after: Pick<ListPosition, 'startMs' | 'runId'>, values: unknown[]): string {
  values.push(after.startMs, after.runId);
  return `close_ms is null and (start_ms, run_id) < ($${values.length - 1}::bigint, $${values.length}::uuid)`;
}

/** Closed runs after the position of a closed one. */
function behindClosed(after: ListPosition, values: unknown[]): string {
  values.push(after.closeMs, after.startMs, after.runId);
  const [close, start, run] = [2, 1, 0].map((back) => `$${values.length - back}`);
  return `(close_ms, start_ms, run_id) < (${close}::bigint, ${start}::bigint, ${run}::uuid)`;
}

/** `inverted` inside a NOT, where a missing attribute must stay unknown instead of counting as unequal. */
function clause(filter: Filter | undefined, values: unknown[], inverted = false): string {
  if (!filter) return '';
  switch (filter.type) {
    case 'and':
    case 'or':
      return `(${filter.parts.map((part) => clause(part, values, inverted)).join(` ${filter.type} `)})`;
    case 'not':
      return `not (${clause(filter.part, values, true)})`;
    case 'null':
      return `${present(filter.attribute, values)} is ${filter.negated ? 'not ' : ''}null`;
    case 'between': {
      const column = typed(filter.attribute, values);
      return `${column} ${filter.negated ? 'not ' : ''}between ${parameter(filter.low, values)} and ${parameter(filter.high, values)}`;
    }
    case 'in':
      return membership(filter.attribute, filter.negated, filter.values, values);
    case 'compare':
      return comparison(filter, values, inverted);
  }
}

function parameter(value: QueryValue, values: unknown[]): string {
  values.push(value);
  // a bigint column that is compared with a numeric is not looked up by its index
  const type = typeof value === 'number' ? (Number.isSafeInteger(value) ? 'bigint' : 'numeric') : typeof value === 'boolean' ? 'boolean' : 'text';
  return `$${values.length}::${type}`;
}

/** The attribute as a value that can be null. */
function present(attribute: Attribute, values: unknown[]): string {
  if (attribute.system) return SYSTEM_COLUMNS[attribute.name]!;
  values.push(attribute.name);
  const indexed = `indexed -> $${values.length}::text`;
  return Object.hasOwn(DERIVED, attribute.name) ? `coalesce(${indexed}, ${DERIVED[attribute.name]})` : indexed;
}

/** The attribute as a value of its type, for comparisons. */
function typed(attribute: Attribute, values: unknown[]): string {
  if (attribute.system) return SYSTEM_COLUMNS[attribute.name]!;
  values.push(attribute.name);
  const text = `(indexed ->> $${values.length}::text)`;
  switch (attribute.type) {
    case T.INDEXED_VALUE_TYPE_INT:
    case T.INDEXED_VALUE_TYPE_DOUBLE:
    case T.INDEXED_VALUE_TYPE_DATETIME:
      return `${text}::numeric`;
    case T.INDEXED_VALUE_TYPE_BOOL:
      return `${text}::boolean`;
    default:
      return `${text} collate "C"`;
  }
}

/** `indexed` has this value under that name: what the index answers. */
function contains(attribute: Attribute, value: QueryValue | QueryValue[], values: unknown[]): string {
  values.push(JSON.stringify({ [attribute.name]: value }));
  const indexed = `indexed @> $${values.length}::jsonb`;
  if (!Object.hasOwn(DERIVED, attribute.name)) return indexed;
  values.push(JSON.stringify(value));
  return `(${indexed} or ${DERIVED[attribute.name]} @> $${values.length}::jsonb)`;
}

/**
 * Statuses are written out, and whether they are open or closed is said along: so the planner sees that the open runs are the first of the list's
 * index, and that those which went wrong have one of their own.
 */
function statusIs(statuses: readonly number[]): string {
  const open = statuses.filter((status) => OPEN_STATUSES.has(status));
  const closed = statuses.filter((status) => !OPEN_STATUSES.has(status));
  const parts = [
    open.length > 0 && `(close_ms is null and status in (${open.join(', ')}))`,
    closed.length > 0 && `(close_ms is not null and status ${closed.length === 1 ? `= ${closed[0]}` : `in (${closed.join(', ')})`})`,
  ].filter(Boolean);
  return parts.length === 1 ? parts[0]! as string : `(${parts.join(' or ')})`;
}

const areStatuses = (attribute: Attribute, wanted: readonly QueryValue[]): wanted is number[] =>
  attribute.system && attribute.name === 'ExecutionStatus' && wanted.every((value) => Number.isSafeInteger(value));

const isWorkflowId = (attribute: Attribute): boolean => attribute.system && attribute.name === 'WorkflowId';

/** The index of closed runs has the hash of their workflow ids, that of open ones the ids. */
function workflowIdIs(value: QueryValue, values: unknown[]): string {
  const id = parameter(value, values);
  return `(hashtextextended(workflow_id, 0) = hashtextextended(${id}, 0) and workflow_id = ${id})`;
}

function membership(attribute: Attribute, negated: boolean, wanted: QueryValue[], values: unknown[]): string {
  if (!negated && areStatuses(attribute, wanted)) return statusIs(wanted);
  if (attribute.type === T.INDEXED_VALUE_TYPE_KEYWORD_LIST) {
    const any = wanted.map((value) => contains(attribute, [value], values)).join(' or ');
    return negated ? `(${any}) is not true` : `(${any})`;
  }
  if (!negated && isWorkflowId(attribute)) return `(${wanted.map((value) => workflowIdIs(value, values)).join(' or ')})`;
  const column = typed(attribute, values);
  return `${column} ${negated ? 'not ' : ''}in (${wanted.map((value) => parameter(value, values)).join(', ')})`;
}

function comparison({ attribute, operator, value }: Extract<Filter, { type: 'compare' }>, values: unknown[], inverted: boolean): string {
  if (attribute.type === T.INDEXED_VALUE_TYPE_TEXT) {
    values.push(attribute.name, value);
    const words = `to_tsvector('simple', coalesce(indexed ->> $${values.length - 1}::text, '')) @@ plainto_tsquery('simple', $${values.length}::text)`;
    return operator === '=' ? words : `not (${words})`;
  }
  if (attribute.type === T.INDEXED_VALUE_TYPE_KEYWORD_LIST) {
    const has = contains(attribute, [value], values);
    return operator === '=' ? has : `(${has}) is not true`;
  }
  if (operator === '=' && areStatuses(attribute, [value])) return statusIs([value as number]);
  if (operator === '=' && isWorkflowId(attribute)) return workflowIdIs(value, values);
  if (operator === '=' && !attribute.system && !inverted) return contains(attribute, value, values);
  const column = typed(attribute, values);
  if (operator === 'STARTS_WITH') return `starts_with(${column}, ${parameter(value, values)})`;
  if (operator === 'NOT STARTS_WITH') return `not starts_with(${column}, ${parameter(value, values)})`;
  return `${column} ${operator} ${parameter(value, values)}`;
}
