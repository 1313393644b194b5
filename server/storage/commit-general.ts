/**
 * The statement that writes any transitions: those of many runs in one round trip, each with its own compare-and-set, also such as change
 * several runs. Only the parts that the group needs are put together, so that a small commit stays small; each combination is prepared once.
 */
import { ASKED_COLUMNS, approvalColumns, askedPart, DECIDED_COLUMNS, decidedPart } from './approval-writes.js';
import type { CommitItem } from './commit-item.js';
import type { Statement } from './database.js';
import { COPIED_COLUMNS, copiedPart } from './history-copies.js';
import { NEW_RUN_COLUMNS, newRunValues, RUN_COLUMN_NAMES } from './new-run-columns.js';
import { usedBefore } from './runs-of-workflow.js';
import { encodeInfo, encodeMessage, encodeSnapshot } from './snapshot-codec.js';
import { queuedPart, TASK_COLUMNS, taskValues } from './task-writes.js';

/** Byte strings travel as one binary parameter; columns name their slices by offset and length (offset 0 = null). */
class Blob {
  private readonly parts: Uint8Array[] = [];
  private length = 0;
  add(bytes: Uint8Array | null | undefined): [offset: number, length: number] {
    if (!bytes) return [0, 0];
    const at = this.length + 1;
    this.parts.push(bytes);
    this.length += bytes.length;
    return [at, bytes.length];
  }
  concat(): Buffer {
    return Buffer.concat(this.parts, this.length);
  }
}

/** Columns of an unnest, each an array parameter. */
class Columns {
  private readonly names: string[];
  readonly arrays: unknown[][];
  constructor(private readonly spec: Readonly<Record<string, string>>) {
    this.names = Object.keys(spec);
    this.arrays = this.names.map(() => []);
  }
  get size(): number {
    return this.arrays[0]!.length;
  }
  push(...values: unknown[]): void {
    for (let i = 0; i < values.length; i++) this.arrays[i]!.push(values[i]);
  }
  /** `unnest($3::uuid[], …) as alias(run_id, …)` with its parameters appended to values. */
  from(alias: string, values: unknown[]): string {
    const params = this.names.map((name, i) => {
      values.push(this.arrays[i]);
      return `$${values.length}::${this.spec[name]}[]`;
    });
    return `unnest(${params.join(', ')}) as ${alias}(${this.names.join(', ')})`;
  }
}

const RUN_COLUMNS = {
  item: 'int',
  run_id: 'uuid',
  expected: 'bigint',
  status: 'smallint',
  close_ms: 'bigint',
  deadline_ms: 'bigint',
  clear_deadline: 'boolean',
  next_event_id: 'bigint',
  history_bytes: 'bigint',
  transitions: 'bigint',
  info_at: 'int',
  info_length: 'int',
  snapshot_at: 'int',
  snapshot_length: 'int',
  memo_at: 'int',
  memo_length: 'int',
  memo_changed: 'boolean',
  search_at: 'int',
  search_length: 'int',
  search_changed: 'boolean',
  indexed: 'text',
};

const INSERT_COLUMNS = { ...RUN_COLUMNS, ...NEW_RUN_COLUMNS };

const slice = (column: string): string =>
  `case when i.${column}_at > 0 then substring($1::bytea from i.${column}_at for i.${column}_length) end`;

const PARTS = {
  /** Locks the rows that are still at the version that was read. */
  lock: (from: string) => `
    locked as materialized (
      select i.item, r.run_id
      from (select * from ${from}) i
      join runs r on r.run_id = i.run_id and r.version = i.expected
      order by r.run_id
      for no key update of r
    )`,
  update: (from: string) => `
    updated as (
      update runs r set
        version = i.expected + 1, status = i.status, close_ms = i.close_ms,
        deadline_ms = case when i.clear_deadline then null else coalesce(i.deadline_ms, r.deadline_ms) end,
        next_event_id = i.next_event_id, history_bytes = i.history_bytes, transitions = i.transitions,
        info = coalesce(${slice('info')}, r.info),
        snapshot = ${slice('snapshot')},
        memo = case when i.memo_changed then ${slice('memo')} else r.memo end,
        search_attributes = case when i.search_changed then ${slice('search')} else r.search_attributes end,
        indexed = case when i.search_changed then i.indexed::jsonb else r.indexed end
      from (select * from ${from}) i
      where r.run_id = i.run_id and r.version = i.expected and i.item in (select item from able)
      returning r.run_id
    )`,
  /** After the updates: a run that closes makes room for the one that follows it. */
  insert: (from: string, afterUpdates: boolean) => `
    inserted as (
      insert into runs (${RUN_COLUMN_NAMES.join(', ')}, version, status, close_ms, deadline_ms, next_event_id, history_bytes, transitions, info, snapshot, memo, search_attributes, indexed)
      select ${RUN_COLUMN_NAMES.map((column) => `i.${column}`).join(', ')}, 1, i.status, i.close_ms, i.deadline_ms, i.next_event_id, i.history_bytes, i.transitions,
        ${slice('info')}, ${slice('snapshot')}, ${slice('memo')}, ${slice('search')}, i.indexed::jsonb
      from (select * from ${from}) i
      where i.item in (select item from able)${afterUpdates ? ' and (select count(*) from updated) >= 0' : ''}
        and not (i.first_of_workflow and ${usedBefore('i')})
      on conflict do nothing
      returning run_id
    )`,
};

interface Tables {
  updates: Columns;
  inserts: Columns;
  history: Columns;
  tasks: Columns;
  taken: Columns;
  requests: Columns;
  messages: Columns;
  delivered: Columns;
  asked: Columns;
  decided: Columns;
  copied: Columns;
}

function gather(items: readonly CommitItem[], blob: Blob): Tables {
  const tables: Tables = {
    updates: new Columns(RUN_COLUMNS),
    inserts: new Columns(INSERT_COLUMNS),
    history: new Columns({
      item: 'int',
      run_id: 'uuid',
      first_event_id: 'bigint',
      last_event_id: 'bigint',
      batch_starts: 'text',
      at: 'int',
      length: 'int',
    }),
    tasks: new Columns({ item: 'int', ...TASK_COLUMNS }),
    taken: new Columns({ item: 'int', task_id: 'bigint' }),
    requests: new Columns({ item: 'int', run_id: 'uuid', request_id: 'text' }),
    messages: new Columns({ item: 'int', message_id: 'uuid', namespace_id: 'uuid', workflow_id: 'text', at: 'int', length: 'int' }),
    delivered: new Columns({ item: 'int', message_id: 'uuid' }),
    asked: new Columns(ASKED_COLUMNS),
    decided: new Columns(DECIDED_COLUMNS),
    copied: new Columns(COPIED_COLUMNS),
  };
  items.forEach((item, index) => {
    for (const run of item.runs) gatherRun(tables, blob, index, run);
    for (const { runId, fromRunId, beforeEventId, rest } of item.copies) {
      tables.copied.push(index, runId, fromRunId, beforeEventId);
      if (rest) pushHistory(tables, blob, index, { runId, ...rest });
    }
    for (const task of item.tasks) tables.tasks.push(index, ...taskValues(task));
    for (const task of item.takenTasks) tables.taken.push(index, task);
    for (const r of item.requests) tables.requests.push(index, r.runId, r.requestId);
    for (const { id, message } of item.messages)
      tables.messages.push(index, id, message.to.namespaceId, message.to.workflowId, ...blob.add(encodeMessage(message)));
    for (const id of item.takenMessages) tables.delivered.push(index, id);
    for (const a of item.approvals) (a.approval.asked ? tables.asked : tables.decided).push(index, ...approvalColumns(a));
  });
  return tables;
}

function gatherRun(tables: Tables, blob: Blob, item: number, run: CommitItem['runs'][number]): void {
  const { state } = run;
  const { info } = state;
  const isNew = run.expectedVersion === 0;
  const columns: unknown[] = [
    item,
    info.runId,
    run.expectedVersion,
    state.status,
    state.closeMs || null,
    run.deadlineMs,
    run.clearDeadline,
    state.nextEventId,
    state.historyBytes,
    state.transitions,
    ...blob.add(run.infoChanged ? encodeInfo(state) : null),
    ...blob.add(encodeSnapshot(state)),
    ...blob.add(run.memoChanged ? state.memo : null),
    run.memoChanged,
    ...blob.add(run.searchAttributesChanged ? state.searchAttributes : null),
    run.searchAttributesChanged,
    run.indexed ? JSON.stringify(run.indexed) : null,
  ];
  if (isNew) columns.push(...newRunValues(state), run.firstOfWorkflow);
  (isNew ? tables.inserts : tables.updates).push(...columns);
  if (run.events) pushHistory(tables, blob, item, { runId: info.runId, ...run, events: run.events });
}

interface NewRow {
  runId: string;
  firstEventId: number;
  lastEventId: number;
  batchStarts: readonly number[];
  events: Uint8Array;
}

function pushHistory(tables: Tables, blob: Blob, item: number, { runId, firstEventId, lastEventId, batchStarts, events }: NewRow): void {
  const starts = batchStarts.length > 0 ? `{${batchStarts.join(',')}}` : null;
  tables.history.push(item, runId, firstEventId, lastEventId, starts, ...blob.add(events));
}

/** Puts the statement together. Chain of sets: locked -> able -> (updated, inserted) -> fit, and everything else hangs on fit. */
export function generalStatement(items: readonly CommitItem[], nowMs: number, notBeforeMs: number): Statement {
  const blob = new Blob();
  const tables = gather(items, blob);
  const { updates, inserts, history, tasks, taken, requests, messages, delivered, asked, decided, copied } = tables;
  const values: unknown[] = [blob.concat(), items.length];
  const ctes: string[] = [];
  const refusals: string[] = [];
  let updatesFrom = '';
  let deliveredFrom = '';
  if (updates.size > 0) {
    updatesFrom = updates.from('u', values);
    ctes.push(PARTS.lock(updatesFrom));
    refusals.push(
      `select u.item from ${updatesFrom} where not exists (select 1 from locked l where l.run_id = u.run_id and l.item = u.item)`,
    );
  }
  if (delivered.size > 0) {
    const from = delivered.from('d', values);
    deliveredFrom = from;
    ctes.push(
      `held as materialized (select o.message_id from outbox o where o.message_id in (select d.message_id from ${from}) order by 1 for update)`,
    );
    ctes.push(`gone as materialized (select distinct d.item from ${from} where d.message_id not in (select message_id from held))`);
    refusals.push('select item from gone');
  }
  const refused = refusals.length > 0 ? refusals.join(' union all ') : 'select null::int as item where false';
  let seenFrom = '';
  if (requests.size > 0) {
    seenFrom = requests.from('q', values);
    ctes.push(`refused as materialized (${refused})`);
    ctes.push(`requested as (
      insert into run_requests (run_id, request_id)
      select q.run_id, q.request_id from ${seenFrom} where q.item not in (select item from refused)
      on conflict do nothing returning run_id, request_id)`);
    ctes.push(`seen as materialized (select q.item from ${seenFrom} where q.item not in (select item from refused)
      and not exists (select 1 from requested n where n.run_id = q.run_id and n.request_id = q.request_id))`);
    ctes.push(`able as materialized (select n as item from generate_series(0, $2::int - 1) n
      where n not in (select item from refused) and n not in (select item from seen))`);
  } else {
    ctes.push(`able as materialized (select n as item from generate_series(0, $2::int - 1) n where n not in (${refused}))`);
  }
  if (updates.size > 0) ctes.push(PARTS.update(updatesFrom));
  let unfit = '';
  if (inserts.size > 0) {
    const from = inserts.from('n', values);
    ctes.push(PARTS.insert(from, updates.size > 0));
    // an item that updated one run and could not insert another is undone with its whole group, and tried alone
    if (updates.size > 0) {
      ctes.push(`torn as materialized (select 1 / (case when count(*) > 0 then 0 else 1 end) as whole from ${from}
        where n.run_id not in (select run_id from inserted) and n.item in (select item from locked) and n.item in (select item from able))`);
    }
    unfit = ` where item not in (select n.item from ${from} where n.run_id not in (select run_id from inserted))`;
  }
  ctes.push(`fit as materialized (select item from able${unfit})`);
  if (deliveredFrom) {
    ctes.push(
      `delivered as (delete from outbox o where o.message_id in (select d.message_id from ${deliveredFrom} where d.item in (select item from fit)))`,
    );
  }
  if (history.size > 0) {
    ctes.push(`wrote as (insert into history (run_id, first_event_id, last_event_id, batch_starts, events)
      select h.run_id, h.first_event_id, h.last_event_id, h.batch_starts::bigint[], substring($1::bytea from h.at for h.length)
      from ${history.from('h', values)} where h.item in (select item from fit))`);
  }
  if (copied.size > 0) ctes.push(copiedPart(copied.from('c', values)));
  if (tasks.size > 0) {
    values.push(nowMs);
    const enqueued = `$${values.length}`;
    ctes.push(queuedPart(tasks.from('t', values), 't.item in (select item from fit)', enqueued));
  }
  if (taken.size > 0) {
    ctes.push(
      `taken as (delete from tasks where task_id in (select k.task_id from ${taken.from('k', values)} where k.item in (select item from fit)))`,
    );
  }
  if (messages.size > 0) {
    values.push(notBeforeMs);
    ctes.push(`sent as (insert into outbox (message_id, namespace_id, workflow_id, message, not_before_ms)
      select m.message_id, m.namespace_id, m.workflow_id, substring($1::bytea from m.at for m.length), $${values.length}::bigint
      from ${messages.from('m', values)} where m.item in (select item from fit))`);
  }
  if (asked.size > 0) ctes.push(askedPart(asked.from('a', values)));
  if (decided.size > 0) ctes.push(decidedPart(decided.from('e', values)));
  const blank = tasks.size > 0 ? ', null, null, null, null' : '';
  const seen = seenFrom ? ` union all select item, 'duplicate' as result${blank} from seen` : '';
  const gone = deliveredFrom ? ` union all select item, 'gone' as result${blank} from gone` : '';
  const whole = updates.size > 0 && inserts.size > 0 ? ' where (select whole from torn) = 1' : '';
  const queued = tasks.size > 0 ? " union all select null, 'queued', task_id, run_id, event_id, kind from queued" : '';
  const noTask = tasks.size > 0 ? ', null::bigint as task_id, null::uuid as run_id, null::bigint as event_id, null::smallint as kind' : '';
  const text = `with ${ctes.join(',\n')}\nselect item, 'done' as result${noTask} from fit${whole}${seen}${gone}${queued}`;
  const shape = [
    updates.size,
    inserts.size,
    history.size,
    tasks.size,
    taken.size,
    requests.size,
    messages.size,
    delivered.size,
    asked.size,
    decided.size,
    copied.size,
  ];
  return { name: `commit-${shape.map((n) => (n > 0 ? 1 : 0)).join('')}`, text, values };
}
