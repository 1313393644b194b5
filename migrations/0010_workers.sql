-- Workers that say of themselves how they are, once a minute or so. Unlogged: whoever is alive says so again.
create unlogged table workers (
  namespace_id uuid not null,
  worker_instance_key text collate "C" not null,
  -- encoded temporal.api.worker.v1.WorkerHeartbeat
  heartbeat bytea not null,
  seen_ms bigint not null,
  primary key (namespace_id, worker_instance_key)
);
create index workers_seen on workers (seen_ms);
