-- Queries that ride or wait for a worker where several nodes share the database, and their answers on the way back to the node that asked.
-- Unlogged: nothing of it matters once the database has crashed, as whoever asked asks again. Nodes also tell here which task queues are polled at them.

create unlogged table queries (
  query_id uuid primary key,
  -- the node that asks
  node_id uuid not null,
  run_id uuid not null,
  -- encoded temporal.api.query.v1.WorkflowQuery
  query bytea not null,
  expires_ms bigint not null,
  -- a node has handed it to a worker
  taken boolean not null default false
);
create index queries_of_run on queries (run_id);

create unlogged table query_answers (
  query_id uuid not null,
  -- the node that asked
  node_id uuid not null,
  -- encoded temporal.api.query.v1.WorkflowQueryResult
  answer bytea not null,
  expires_ms bigint not null
);
create index query_answers_of_node on query_answers (node_id);

create unlogged table queue_polls (
  node_id uuid not null,
  namespace_id uuid not null,
  -- 1 workflow, 2 activity
  kind smallint not null,
  queue text not null,
  last_poll_ms bigint not null,
  primary key (node_id, namespace_id, kind, queue)
);
