/**
 * The statement for transitions of one run each, which are nearly all: an item is done when its run's row was updated, inserted or moved to the closed
 * ones, so that everything else hangs on the run ids that came back, and no locks and sets of items are needed beside. Names the partitions of
 * `runs`, as nothing then has to be routed. Costs PostgreSQL half of the general one.
 */
import { BinaryColumns, type ColumnType, type DirectParameter } from './binary-arrays.js';
import type { CommitItem, RunWrite } from './commit-item.js';
import type { PreparedStatement } from './direct-connections.js';
import { NEW_RUN_COLUMNS, newRunValues, RUN_COLUMN_NAMES } from './new-run-columns.js';
import { usedBefore } from './runs-of-workflow.js';
import { encodeInfo, encodeMessage, encodeSnapshot } from './snapshot-codec.js';
import { queuedPart, TASK_COLUMNS, taskValues } from './task-writes.js';

type Columns = Readonly<Record<string, ColumnType>>;

/** Whether an item can be written this way. */
export const isSimple = (item: CommitItem): boolean =>
  item.runs.length === 1 && isOrdinary(item.runs[0]!) && item.copies.length === 0 && item.takenMessages.length === 0 && item.approvals.length === 0;

/** A run that goes on or ends: none that has ended, or ends as it begins. */
const isOrdinary = ({ closedBefore, expectedVersion, state }: RunWrite): boolean => !closedBefore && (expectedVersion > 0 || state.closeMs === 0);

/** What every transition writes. */
const RUN: Columns = {
  run_id: 'uuid',
  status: 'smallint',
  next_event_id: 'bigint',
  history_bytes: 'bigint',
  transitions: 'bigint',
  snapshot: 'bytea',
  first_event_id: 'bigint',
  batch_starts: 'text',
  events: 'bytea',
};

/** What changes seldom. */
const SELDOM: Columns = { info: 'bytea', memo: 'bytea', search_attributes: 'bytea', indexed: 'text' };

/** When some run of the group changes what changes seldom; else the statement leaves those columns alone. */
const CHANGED: Columns = { ...SELDOM, memo_changed: 'boolean', search_changed: 'boolean' };

const UPDATE: Columns = { ...RUN, expected: 'bigint', deadline_ms: 'bigint', clear_deadline: 'boolean' };
const CLOSE: Columns = { ...RUN, expected: 'bigint', close_ms: 'bigint' };
const INSERT: Columns = { ...RUN, deadline_ms: 'bigint', ...SELDOM, ...NEW_RUN_COLUMNS };

const TAKEN: Columns = { run_id: 'uuid', task_id: 'bigint' };
const REQUEST: Columns = { run_id: 'uuid', request_id: 'text' };
const MESSAGE: Columns = { run_id: 'uuid', message_id: 'uuid', namespace_id: 'uuid', workflow_id: 'text', message: 'bytea' };

/** Rows of a group, by what is done with them. */
interface Rows {
  updates: BinaryColumns;
  closes: BinaryColumns;
  inserts: BinaryColumns;
  tasks: BinaryColumns;
  taken: BinaryColumns;
  requests: BinaryColumns;
  messages: BinaryColumns;
}

const changesSeldom = (run: RunWrite): boolean =>
  run.expectedVersion > 0 && (run.infoChanged || run.memoChanged || run.searchAttributesChanged);

/** The statement for a group of simple items; an item that is alone gets one without arrays. `notBeforeMs`: from then on any node may deliver the group's messages. */
export function simpleStatement(items: readonly CommitItem[], nowMs: number, notBeforeMs: number): PreparedStatement {
  const all = items.some(({ runs }) => changesSeldom(runs[0]!));
  const rows = gather(items, all);
  const { updates, closes, inserts, tasks, taken, requests, messages } = rows;
  const parts = [updates, closes, inserts, tasks, taken, requests, messages];
  const values: DirectParameter[] = [];
  const alone = (part: BinaryColumns): boolean => items.length === 1 && part.size === 1;
  for (const part of parts) {
    if (alone(part)) part.addRowTo(values);
    else if (part.size > 0) part.addTo(values);
  }
  if (tasks.size > 0) values.push(nowMs);
  if (messages.size > 0) values.push(notBeforeMs);
  const name = `commit-simple-${parts.map((part) => (alone(part) ? '1' : part.size > 0 ? 'n' : '0')).join('')}${all ? 1 : 0}`;
  let text = texts.get(name);
  if (text === undefined) {
    text = textOf(rows, all, alone);
    texts.set(name, text);
  }
  return { name, text, values };
}

/** The text depends on the name alone. */
const texts = new Map<string, string>();

function gather(items: readonly CommitItem[], all: boolean): Rows {
  const rows: Rows = {
    updates: new BinaryColumns(all ? { ...UPDATE, ...CHANGED } : UPDATE),
    closes: new BinaryColumns(all ? { ...CLOSE, ...CHANGED } : CLOSE),
    inserts: new BinaryColumns(INSERT),
    tasks: new BinaryColumns(TASK_COLUMNS),
    taken: new BinaryColumns(TAKEN),
    requests: new BinaryColumns(REQUEST),
    messages: new BinaryColumns(MESSAGE),
  };
  // rows are locked in the order in which they lie here: that of their ids, so that two nodes never wait for each other
  const ordered = items.length > 1 ? [...items].sort((a, b) => (runIdOf(a) < runIdOf(b) ? -1 : 1)) : items;
  for (const item of ordered) gatherItem(rows, item, all);
  return rows;
}

const runIdOf = (item: CommitItem): string => item.runs[0]!.state.info.runId;

function gatherItem(rows: Rows, item: CommitItem, all: boolean): void {
  const run = item.runs[0]!;
  const runId = run.state.info.runId;
  const seldom = all ? [...seldomValues(run), run.memoChanged, run.searchAttributesChanged] : [];
  if (run.expectedVersion === 0) rows.inserts.push([...runValues(run), run.deadlineMs, ...seldomValues(run), ...newRunValues(run.state), run.firstOfWorkflow]);
  else if (run.state.closeMs > 0) rows.closes.push([...runValues(run), run.expectedVersion, run.state.closeMs, ...seldom]);
  else rows.updates.push([...runValues(run), run.expectedVersion, run.deadlineMs, run.clearDeadline, ...seldom]);
  for (const task of item.tasks) rows.tasks.push(taskValues(task));
  for (const taskId of item.takenTasks) rows.taken.push([runId, taskId]);
  for (const { requestId } of item.requests) rows.requests.push([runId, requestId]);
  for (const { id, message } of item.messages)
    rows.messages.push([runId, id, message.to.namespaceId, message.to.workflowId, encodeMessage(message)]);
}

/** In the order of RUN. */
const runValues = (run: RunWrite): unknown[] => [
  run.state.info.runId,
  run.state.status,
  run.state.nextEventId,
  run.state.historyBytes,
  run.state.transitions,
  encodeSnapshot(run.state),
  run.firstEventId,
  run.batchStarts.length > 0 ? `{${run.batchStarts.join(',')}}` : null,
  run.events,
];

/** In the order of SELDOM. */
const seldomValues = (run: RunWrite): unknown[] => [
  run.infoChanged ? encodeInfo(run.state) : null,
  run.memoChanged ? run.state.memo : null,
  run.searchAttributesChanged ? run.state.searchAttributes : null,
  run.indexed ? JSON.stringify(run.indexed) : null,
];

/** Puts the statement together. `done` are the runs that were written; a set that is only probed is a hashed one thanks to "is true". */
function textOf({ updates, closes, inserts, tasks, taken, requests, messages }: Rows, all: boolean, alone: (part: BinaryColumns) => boolean): string {
  let parameters = 0;
  const next = (): number => ++parameters;
  const from = (part: BinaryColumns, alias: string): string => (alone(part) ? part.row(alias, next) : part.size > 0 ? part.unnest(alias, next) : '');
  const ctes: string[] = [];
  const done: string[] = [];
  const written: string[] = [];
  if (updates.size > 0) {
    ctes.push(updatedPart(from(updates, 'u'), all));
    done.push('select run_id from updated');
    written.push(`select ${HISTORY} from updated`);
  }
  if (closes.size > 0) {
    ctes.push(...closedParts(from(closes, 'u'), all));
    done.push('select run_id from closing');
    written.push(`select ${HISTORY} from closing`);
  }
  if (inserts.size > 0) {
    ctes.push(`n as materialized (select * from ${from(inserts, 'n')})`, INSERTED);
    done.push('select run_id from inserted');
    written.push(`select ${HISTORY} from n where (run_id in (select run_id from inserted)) is true`);
  }
  ctes.push(`wrote as (
      insert into history (run_id, first_event_id, last_event_id, batch_starts, events)
      select run_id, first_event_id, next_event_id - 1, batch_starts::bigint[], events from (${written.join(' union all ')}) w where events is not null
    )`);
  ctes.push(`done as materialized (${done.join(' union all ')})`);
  const isDone = (alias: string): string => `(${alias}.run_id in (select run_id from done)) is true`;
  const at = { tasks: from(tasks, 't'), taken: from(taken, 'k'), requests: from(requests, 'q'), messages: from(messages, 'm') };
  if (at.tasks) ctes.push(queuedPart(at.tasks, isDone('t'), `$${next()}`));
  if (at.taken) ctes.push(`taken as (delete from tasks where task_id in (select k.task_id from ${at.taken} where ${isDone('k')}))`);
  if (at.messages) {
    ctes.push(`sent as (
      insert into outbox (message_id, namespace_id, workflow_id, message, not_before_ms)
      select m.message_id, m.namespace_id, m.workflow_id, m.message, $${next()}::bigint from ${at.messages} where ${isDone('m')})`);
  }
  let whole = '';
  if (at.requests) {
    // a request that was taken before undoes the whole group, which is then written by the general statement
    ctes.push(`requested as (
      insert into run_requests (run_id, request_id) select q.run_id, q.request_id from ${at.requests} where ${isDone('q')}
      on conflict do nothing returning 1)`);
    ctes.push(
      `torn as materialized (select 1 / (case when (select count(*) from requested) = (select count(*) from ${at.requests} where ${isDone('q')}) then 1 else 0 end) as whole)`,
    );
    whole = ' where (select whole from torn) = 1';
  }
  if (!at.tasks) return `with ${ctes.join(',\n')}\nselect run_id from done${whole}`;
  return `with ${ctes.join(',\n')}
    select run_id, null::bigint as task_id, null::bigint as event_id, null::smallint as kind from done${whole}
    union all select run_id, task_id, event_id, kind from queued`;
}

const HISTORY = 'run_id, first_event_id, next_event_id, batch_starts, events';

const updatedPart = (from: string, all: boolean): string => `
    updated as (
      update runs_open r set
        version = u.expected + 1, status = u.status,
        deadline_ms = case when u.clear_deadline then null else coalesce(u.deadline_ms, r.deadline_ms) end,
        next_event_id = u.next_event_id, history_bytes = u.history_bytes, transitions = u.transitions, snapshot = u.snapshot${all ? SET_SELDOM : ''}
      from ${from}
      where r.run_id = u.run_id and r.version = u.expected
      returning r.run_id, u.first_event_id, r.next_event_id, u.batch_starts, u.events
    )`;

/** How the columns that change seldom change. */
const SELDOM_CHANGED = {
  info: 'coalesce(u.info, r.info)',
  memo: 'case when u.memo_changed then u.memo else r.memo end',
  search_attributes: 'case when u.search_changed then u.search_attributes else r.search_attributes end',
  indexed: 'case when u.search_changed then u.indexed::jsonb else r.indexed end',
};

const SET_SELDOM = Object.entries(SELDOM_CHANGED).map(([column, value]) => `, ${column} = ${value}`).join('');

/** Of a run that ends: what it takes along as it was, and what changes. */
function closedParts(from: string, all: boolean): string[] {
  const kept = RUN_COLUMN_NAMES.map((column) => `r.${column}`).join(', ');
  const seldom = Object.entries(SELDOM_CHANGED).map(([column, value]) => (all ? `${value} as ${column}` : `r.${column}`));
  return [
    `closing as (
      delete from runs_open r using ${from}
      where r.run_id = u.run_id and r.version = u.expected
      returning ${kept}, ${seldom.join(', ')}, u.expected + 1 as version, u.next_event_id, u.history_bytes, u.transitions, u.close_ms, u.status, u.snapshot,
        u.first_event_id, u.batch_starts, u.events
    )`,
    `closed as (
      insert into runs_closed (${RUN_COLUMN_NAMES.join(', ')}, ${Object.keys(SELDOM_CHANGED).join(', ')}, version, next_event_id, history_bytes, transitions, close_ms, status, snapshot)
      select ${RUN_COLUMN_NAMES.join(', ')}, ${Object.keys(SELDOM_CHANGED).join(', ')}, version, next_event_id, history_bytes, transitions, close_ms, status, snapshot from closing
    )`,
  ];
}

const INSERTED = `
    inserted as (
      insert into runs_open (${RUN_COLUMN_NAMES.join(', ')}, info, memo, search_attributes, indexed, version, next_event_id, history_bytes, transitions, deadline_ms, status, snapshot)
      select ${RUN_COLUMN_NAMES.map((column) => `n.${column}`).join(', ')}, n.info, n.memo, n.search_attributes, n.indexed::jsonb,
        1, n.next_event_id, n.history_bytes, n.transitions, n.deadline_ms, n.status, n.snapshot
      from n where not (n.first_of_workflow and ${usedBefore('n')})
      on conflict do nothing
      returning run_id
    )`;
