-- The commands of a workflow task's answer that comes in several calls, until the last of them comes. Unlogged: a worker sends again what is lost.
create unlogged table completion_pages (
  run_id uuid not null,
  -- which hand-out of which workflow task
  task text not null,
  page integer not null,
  -- an encoded RespondWorkflowTaskCompletedRequest with nothing but commands
  commands bytea not null,
  created_ms bigint not null,
  primary key (run_id, task, page)
);
create index completion_pages_created on completion_pages (created_ms);
