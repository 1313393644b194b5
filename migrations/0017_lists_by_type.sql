-- Closed runs of a type are found among a million of others without reading those, and runs are counted by status from an index alone.
create index runs_closed_listed_with_status on runs_closed (namespace_id, close_ms, start_ms, run_id) include (status);
drop index runs_closed_listed;
alter index runs_closed_listed_with_status rename to runs_closed_listed;
create index runs_closed_typed on runs_closed (namespace_id, workflow_type, close_ms, start_ms, run_id);
-- Lists are planned for all types at once. Where nearly all runs are of one type either index serves for that; the planner has to be told that there may be others.
alter table runs_closed alter column workflow_type set (n_distinct = 100);
-- once more the last to be made: of indexes that look alike while the table is empty the planner takes that one
alter table runs_closed drop constraint runs_closed_pkey, add constraint runs_closed_pkey primary key (run_id);
