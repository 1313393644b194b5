-- Messages between runs get an id that their sender chooses, so that the node which wrote them can deliver them at once without reading them
-- back; `position` keeps their order. A row that nobody has delivered when its time comes is picked up by whichever node looks.
drop table outbox;
create table outbox (
  message_id uuid primary key,
  position bigint generated always as identity,
  namespace_id uuid not null,
  workflow_id text not null,
  message bytea not null,
  -- failed deliveries so far
  attempts integer not null default 0,
  -- a node works on it until then, or it waits out a failure
  not_before_ms bigint not null
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
create index outbox_due on outbox (not_before_ms);
