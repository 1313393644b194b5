-- The engine's tables: namespaces, runs with their snapshots, event histories, task queues, messages between runs, nodes.
-- Times are milliseconds since the epoch (bigint), as the engine's clock tells them; ids of runs are UUIDv7, so rows of one day lie together.

create table namespaces (
  namespace_id uuid primary key,
  name text not null unique check (name <> ''),
  -- temporal.api.enums.v1.NamespaceState
  state smallint not null default 1 check (state between 1 and 3),
  retention_ms bigint not null check (retention_ms >= 0),
  description text not null default '',
  owner_email text not null default '',
  data jsonb not null default '{}',
  -- encoded BadBinaries and whatever else of the configuration users may set
  settings jsonb not null default '{}',
  -- custom search attributes: name -> IndexedValueType
  search_attributes jsonb not null default '{}',
  created_ms bigint not null,
  updated_ms bigint not null
);

create table runs (
  run_id uuid primary key,
  namespace_id uuid not null,
  workflow_id text not null,
  -- compare-and-set: a commit names the version it has read
  version bigint not null check (version > 0),
  -- temporal.api.enums.v1.WorkflowExecutionStatus
  status smallint not null check (status between 1 and 8),
  workflow_type text not null,
  task_queue text not null,
  start_ms bigint not null,
  execution_ms bigint not null,
  close_ms bigint check ((close_ms is null) = (status in (1, 8))),
  -- no later than the moment at which something is due; may be earlier (moved later only when it fires)
  deadline_ms bigint,
  next_event_id bigint not null check (next_event_id > 1),
  history_bytes bigint not null,
  transitions bigint not null,
  first_run_id uuid not null,
  parent_workflow_id text,
  parent_run_id uuid,
  root_workflow_id text not null,
  root_run_id uuid not null,
  -- JSON: what is fixed at the start, and what changes
  info bytea not null,
  snapshot bytea not null,
  -- encoded temporal.api.common.v1.Memo and SearchAttributes
  memo bytea,
  search_attributes bytea
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);

-- one open run for a workflow id, whatever races
create unique index runs_one_open on runs (namespace_id, workflow_id) where status in (1, 8);
-- the runs of a workflow id, newest last
create index runs_of_workflow on runs (namespace_id, workflow_id, run_id);
-- what the timer loop looks for
create index runs_due on runs (deadline_ms) where deadline_ms is not null;

-- One row a commit and run: a serialized temporal.api.history.v1.History. Concatenated rows are again a History.
create table history (
  run_id uuid not null,
  first_event_id bigint not null check (first_event_id > 0),
  last_event_id bigint not null,
  -- ids at which further batches begin inside this row (readers page by batches)
  batch_starts bigint[],
  events bytea not null,
  primary key (run_id, first_event_id),
  check (last_event_id >= first_event_id)
);

-- Tasks that no poller waited for when they were made.
create table tasks (
  task_id bigint generated always as identity primary key,
  namespace_id uuid not null,
  -- 1 workflow, 2 activity
  kind smallint not null check (kind in (1, 2)),
  queue text not null,
  -- 1 is taken first, 5 last
  priority smallint not null default 3,
  run_id uuid not null,
  workflow_id text not null,
  -- the Scheduled event of the workflow task or activity
  event_id bigint not null,
  stamp integer not null default 0,
  enqueued_ms bigint not null,
  -- a node has taken it until then; 0 = nobody
  claimed_until_ms bigint not null default 0
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
create index tasks_of_queue on tasks (namespace_id, kind, queue, priority, task_id);
create index tasks_of_run on tasks (run_id);

-- Request ids that a run has taken (signals): the same id is taken once.
create table run_requests (
  run_id uuid not null,
  request_id text not null,
  primary key (run_id, request_id)
);

-- Messages to another run, written with the commit that made them, deleted with the commit that took them in.
create table outbox (
  message_id bigint generated always as identity primary key,
  namespace_id uuid not null,
  workflow_id text not null,
  message bytea not null,
  not_before_ms bigint not null default 0
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
create index outbox_due on outbox (not_before_ms);

-- Server processes that are alive.
create table nodes (
  node_id uuid primary key,
  host text not null,
  pid integer not null,
  started_ms bigint not null,
  seen_ms bigint not null
);
