-- Requests for approval: what runs ask people, and what came of it. Derived from the events of the run and written in the commit
-- that writes them (docs/decisions/0005-approvals.md), so that open requests can be listed without reading histories.

create table approvals (
  run_id uuid not null,
  approval_id text not null check (approval_id <> ''),
  namespace_id uuid not null,
  workflow_id text not null,
  workflow_type text not null,
  -- perdure.v1.ApprovalState: 1 open, 2 approved, 3 rejected, 4 expired, 5 withdrawn
  state smallint not null check (state between 1 and 5),
  summary text not null,
  requested_from text not null,
  -- a JSON text, '' = nothing
  details text not null,
  requested_ms bigint not null,
  -- an open request past this moment counts as expired, also before its run has taken note
  expires_ms bigint,
  decided_by text not null default '',
  reason text not null default '',
  decided_ms bigint check ((decided_ms is null) = (state = 1)),
  -- of the call or signal that decided, so that a repeated call gets the same answer
  request_id text not null default '',
  primary key (run_id, approval_id)
);

-- what people look at: the open ones, newest first
create index approvals_open on approvals (namespace_id, requested_ms desc, run_id desc, approval_id desc) where state = 1;
create index approvals_of_namespace on approvals (namespace_id, requested_ms desc, run_id desc, approval_id desc);
create index approvals_of_workflow on approvals (namespace_id, workflow_id, requested_ms desc);
