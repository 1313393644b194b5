-- Where a shared query waits to be taken, so that nodes find it by looking when a notification is lost.
truncate queries;
alter table queries
  add column namespace_id uuid not null,
  -- the task queue whose pollers may take it; null: it rides on the run's next workflow task
  add column queue text,
  -- the queue is that of the worker which holds the run
  add column sticky boolean not null default false;
