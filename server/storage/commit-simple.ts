/**
 * The statement for transitions of one run each, which are nearly all: an item is done when its run's row was updated or inserted, so that
 * everything else hangs on the run ids that came back, and no locks and sets of items are needed beside. Costs PostgreSQL half of the general one.
 */
import { BinaryColumns, type ColumnType } from './binary-arrays.js';
import type { CommitItem, RunWrite } from './commit-item.js';
import type { PreparedStatement } from './direct-connections.js';
import type { DirectParameter } from './direct-statement.js';
import { NEW_RUN_COLUMNS } from './new-run-columns.js';
import { encodeInfo, encodeMessage, encodeSnapshot } from './snapshot-codec.js';
import { queuedPart, TASK_COLUMNS, taskValues } from './task-writes.js';

type Columns = Readonly<Record<string, ColumnType>>;

/** Whether an item can be written this way. */
export const isSimple = (item: CommitItem): boolean =>
  item.runs.length === 1 && item.copies.length === 0 && item.takenMessages.length === 0 && item.approvals.length === 0;

/** What every transition writes. */
const RUN: Columns = {
  run_id: 'uuid',
  status: 'smallint',
  close_ms: 'bigint',
  deadline_ms: 'bigint',
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

const UPDATE: Columns = { ...RUN, expected: 'bigint', clear_deadline: 'boolean' };

/** When some run of the group changes what changes seldom; else the statement leaves those columns alone. */
const UPDATE_ALL: Columns = { ...UPDATE, ...SELDOM, memo_changed: 'boolean', search_changed: 'boolean' };

const INSERT: Columns = { ...RUN, ...SELDOM, ...NEW_RUN_COLUMNS };

const TAKEN: Columns = { run_id: 'uuid', task_id: 'bigint' };
const REQUEST: Columns = { run_id: 'uuid', request_id: 'text' };
const MESSAGE: Columns = { run_id: 'uuid', message_id: 'uuid', namespace_id: 'uuid', workflow_id: 'text', message: 'bytea' };

/** Rows of a group, by what is done with them. */
interface Rows {
  updates: BinaryColumns;
  inserts: BinaryColumns;
  tasks: BinaryColumns;
  taken: BinaryColumns;
  requests: BinaryColumns;
  messages: BinaryColumns;
}

const changesSeldom = (run: RunWrite): boolean =>
  run.expectedVersion > 0 && (run.infoChanged || run.memoChanged || run.searchAttributesChanged);

/** The statement for a group of simple items. `notBeforeMs`: from then on any node may deliver the group's messages. */
export function simpleStatement(items: readonly CommitItem[], nowMs: number, notBeforeMs: number): PreparedStatement {
  const all = items.some(({ runs }) => changesSeldom(runs[0]!));
  const rows = gather(items, all);
  const { updates, inserts, tasks, taken, requests, messages } = rows;
  const parts = [updates, inserts, tasks, taken, requests, messages];
  const values: DirectParameter[] = [];
  for (const part of parts) if (part.size > 0) part.addTo(values);
  if (tasks.size > 0) values.push(nowMs);
  if (messages.size > 0) values.push(notBeforeMs);
  const name = `commit-simple-${parts.map((part) => (part.size > 0 ? 1 : 0)).join('')}${all ? 1 : 0}`;
  let text = texts.get(name);
  if (text === undefined) {
    text = textOf(rows, all);
    texts.set(name, text);
  }
  return { name, text, values };
}

/** The text depends on the name alone. */
const texts = new Map<string, string>();

function gather(items: readonly CommitItem[], all: boolean): Rows {
  const rows: Rows = {
    updates: new BinaryColumns(all ? UPDATE_ALL : UPDATE),
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
  if (run.expectedVersion === 0) rows.inserts.push([...runValues(run), ...seldomValues(run), ...newValues(run)]);
  else if (all)
    rows.updates.push([
      ...runValues(run),
      run.expectedVersion,
      run.clearDeadline,
      ...seldomValues(run),
      run.memoChanged,
      run.searchAttributesChanged,
    ]);
  else rows.updates.push([...runValues(run), run.expectedVersion, run.clearDeadline]);
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
  run.state.closeMs || null,
  run.deadlineMs,
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

/** What INSERT has besides. */
const newValues = ({ state: { info }, firstOfWorkflow }: RunWrite): unknown[] => [
  info.namespaceId,
  info.workflowId,
  info.workflowType,
  info.taskQueue,
  info.startMs,
  info.executionMs,
  info.firstRunId,
  info.parent?.workflowId,
  info.parent?.runId,
  info.rootWorkflowId,
  info.rootRunId,
  firstOfWorkflow,
];

/** Puts the statement together. `done` are the runs that were written; a set that is only probed is a hashed one thanks to "is true". */
function textOf({ updates, inserts, tasks, taken, requests, messages }: Rows, all: boolean): string {
  let parameters = 0;
  const next = (): number => ++parameters;
  const from = (part: BinaryColumns, alias: string): string => (part.size > 0 ? part.unnest(alias, next) : '');
  const ctes: string[] = [];
  const done: string[] = [];
  if (updates.size > 0) {
    ctes.push(updatedPart(from(updates, 'u'), all));
    done.push('select run_id from updated');
  }
  if (inserts.size > 0) {
    ctes.push(`n as materialized (select * from ${from(inserts, 'n')})`, INSERTED);
    done.push('select run_id from inserted');
  }
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

const updatedPart = (from: string, all: boolean): string => `
    updated as (
      update runs r set
        version = u.expected + 1, status = u.status, close_ms = u.close_ms,
        deadline_ms = case when u.clear_deadline then null else coalesce(u.deadline_ms, r.deadline_ms) end,
        next_event_id = u.next_event_id, history_bytes = u.history_bytes, transitions = u.transitions, snapshot = u.snapshot${all ? SET_SELDOM : ''}
      from ${from}
      where r.run_id = u.run_id and r.version = u.expected
      returning r.run_id, u.first_event_id, u.next_event_id - 1 as last_event_id, u.batch_starts, u.events
    ),
    wrote as (
      insert into history (run_id, first_event_id, last_event_id, batch_starts, events)
      select run_id, first_event_id, last_event_id, batch_starts::bigint[], events from updated where events is not null
    )`;

const SET_SELDOM = `,
        info = coalesce(u.info, r.info),
        memo = case when u.memo_changed then u.memo else r.memo end,
        search_attributes = case when u.search_changed then u.search_attributes else r.search_attributes end,
        indexed = case when u.search_changed then u.indexed::jsonb else r.indexed end`;

const INSERTED = `
    inserted as (
      insert into runs (run_id, namespace_id, workflow_id, version, status, workflow_type, task_queue, start_ms, execution_ms, close_ms, deadline_ms,
        next_event_id, history_bytes, transitions, first_run_id, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, info, snapshot, memo, search_attributes, indexed)
      select n.run_id, n.namespace_id, n.workflow_id, 1, n.status, n.workflow_type, n.task_queue, n.start_ms, n.execution_ms, n.close_ms, n.deadline_ms,
        n.next_event_id, n.history_bytes, n.transitions, n.first_run_id, n.parent_workflow_id, n.parent_run_id, n.root_workflow_id, n.root_run_id,
        n.info, n.snapshot, n.memo, n.search_attributes, n.indexed::jsonb
      from n
      -- by the index of workflow ids, whose order is asked for; an "exists" is planned as a hash of all runs
      where not (n.first_of_workflow and (
        select r.run_id from runs r where r.namespace_id = n.namespace_id and r.workflow_id = n.workflow_id order by r.run_id desc limit 1) is not null)
      on conflict do nothing
      returning run_id
    ),
    begun as (
      insert into history (run_id, first_event_id, last_event_id, batch_starts, events)
      select n.run_id, n.first_event_id, n.next_event_id - 1, n.batch_starts::bigint[], n.events
      from n where (n.run_id in (select run_id from inserted)) is true and n.events is not null
    )`;
