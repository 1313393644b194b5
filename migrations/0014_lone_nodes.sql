-- Whether a node believes itself alone and answers from memory: only such a one must take note of a node that comes before that one serves. A node writes
-- true before it begins to believe so, and looks once more; one of an earlier version never says otherwise, and is waited for.
alter table nodes add column alone boolean not null default true;
