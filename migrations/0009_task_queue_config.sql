-- Task queues get what operators set for them (rate limits, weights of tenants), and their waiting tasks an order in which tenants take turns.

create table task_queue_configs (
  namespace_id uuid not null,
  -- temporal.api.enums.v1.TaskQueueType
  kind smallint not null,
  queue text not null,
  -- {perSecond (null = taken away), reason, identity, updatedMs}
  queue_rate jsonb,
  fairness_key_rate jsonb,
  -- fairness key -> weight
  weights jsonb not null default '{}',
  primary key (namespace_id, kind, queue)
);

alter table tasks
  -- whose task it is, among the tenants of the queue, and how it weighs (0 = not said)
  add column fairness_key text not null default '',
  add column fairness_weight real not null default 0,
  -- among tasks of its priority lower goes first; a time in milliseconds. What an earlier version adds stands where it came.
  add column place bigint not null default (extract(epoch from now()) * 1000)::bigint;
create index tasks_in_order on tasks (namespace_id, kind, queue, priority, place, task_id);
drop index tasks_of_queue;

-- What nodes tell of a queue for whoever asks at another: its pollers, and how fast tasks come and go.
create unlogged table queue_reports (
  node_id uuid not null,
  namespace_id uuid not null,
  kind smallint not null,
  queue text not null,
  told_ms bigint not null,
  report jsonb not null,
  primary key (namespace_id, kind, queue, node_id)
);
create index queue_reports_of_node on queue_reports (node_id);
