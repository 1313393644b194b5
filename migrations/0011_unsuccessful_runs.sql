-- Runs that failed, were canceled or terminated, or timed out: few among many, and what people look for. Without an index of their own, a list
-- of them reads every closed run.
create index runs_unsuccessful on runs (namespace_id, status, close_ms desc, start_ms desc, run_id desc) where status in (3, 4, 5, 7);
