-- Listing runs: their search attributes as JSON that can be indexed, and the order in which lists show them (open ones first, then the newest close).
alter table runs add column indexed jsonb;
create index runs_indexed on runs using gin (indexed jsonb_path_ops) where indexed is not null;
create index runs_listed on runs (namespace_id, close_ms desc, start_ms desc, run_id desc);
-- what retention looks for
create index runs_closed on runs (close_ms) where close_ms is not null;
