-- Open runs are written at every transition, closed ones lie still: each get a table of their own, as the two partitions of `runs` (docs/decisions/0064-open-and-closed-runs.md).
-- What is open stays small however many runs there were; what closes is written once, without room for updates and without dead rows or index entries.
-- Takes a moment for each hundred thousand runs and room for them twice over, and holds up other servers of this database meanwhile; a program before this file
-- does not understand the rows that one after it writes. CHECKs of the columns are gone: PostgreSQL reads their text anew for every statement,
-- a tenth of what it spends on a transition; the partitions say that exactly the closed runs have a close.

alter table runs rename to runs_before;
drop index runs_one_open, runs_of_workflow, runs_due, runs_indexed, runs_listed, runs_unsuccessful;

create table runs (
  -- what stays as it is from the start, then what each transition changes: an update whose new row begins like the old one is logged without the beginning
  run_id uuid not null,
  namespace_id uuid not null,
  -- null: this run itself
  first_run_id uuid,
  -- null: this run itself, and its workflow id
  root_run_id uuid,
  parent_run_id uuid,
  start_ms bigint not null,
  execution_ms bigint not null,
  workflow_id text not null,
  workflow_type text not null,
  task_queue text not null,
  root_workflow_id text,
  parent_workflow_id text,
  -- JSON: what is fixed at the start
  info bytea not null,
  -- encoded temporal.api.common.v1.Memo and SearchAttributes, and the latter as JSON that can be indexed
  memo bytea,
  search_attributes bytea,
  indexed jsonb,
  -- compare-and-set: a commit names the version it has read
  version bigint not null,
  next_event_id bigint not null,
  history_bytes bigint not null,
  transitions bigint not null,
  close_ms bigint,
  -- no later than the moment at which something is due; may be earlier (moved later only when it fires)
  deadline_ms bigint,
  -- temporal.api.enums.v1.WorkflowExecutionStatus
  status smallint not null,
  -- JSON: what changes and is in no other column
  snapshot bytea not null
) partition by list (close_ms);

-- a page has room for a new version of each of its rows, and of some another, so that they need no new entries in the indexes
create table runs_open partition of runs for values in (null)
  with (fillfactor = 40, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create table runs_closed partition of runs default;

insert into runs
  select run_id, namespace_id, nullif(first_run_id, run_id), nullif(root_run_id, run_id), parent_run_id, start_ms, execution_ms, workflow_id, workflow_type, task_queue,
    nullif(root_workflow_id, workflow_id), parent_workflow_id, info, memo, search_attributes, indexed,
    version, next_event_id, history_bytes, transitions, close_ms, deadline_ms, status, snapshot
  from runs_before order by close_ms;
drop table runs_before;

-- Of indexes that look alike to the planner, as all do while a table is empty, it takes the one that was made last: the keys are.

-- The order of lists, read backwards: open runs (no close) first, then the newest close. Rising, so that new entries come last and pages of the index get full.
create index runs_open_listed on runs_open (namespace_id, close_ms, start_ms, run_id);
create index runs_open_indexed on runs_open using gin (indexed jsonb_path_ops) where indexed is not null;
-- what the timer loop looks for
create index runs_due on runs_open (deadline_ms) where deadline_ms is not null;
-- one open run for a workflow id, whatever races
create unique index runs_one_open on runs_open (workflow_id, namespace_id);
alter table runs_open add primary key (run_id);

create index runs_closed_listed on runs_closed (namespace_id, close_ms, start_ms, run_id);
create index runs_closed_indexed on runs_closed using gin (indexed jsonb_path_ops) where indexed is not null;
-- runs that failed, were canceled or terminated, or timed out: few among many, and what people look for
create index runs_unsuccessful on runs_closed (namespace_id, status, close_ms, start_ms, run_id) where status in (3, 4, 5, 7);
-- The runs of a workflow id, newest first; by its hash, as ids are long and come in no order. That no key is null the planner does not see: this
-- order it finds here alone, and so cannot walk through the primary key for it instead.
create index runs_closed_of_workflow on runs_closed (hashtextextended(workflow_id, 0), run_id desc nulls last);
alter table runs_closed add primary key (run_id);

-- of the same cost; histories are held together by their key, and read by tests
alter table history drop constraint history_first_event_id_check, drop constraint history_check;
