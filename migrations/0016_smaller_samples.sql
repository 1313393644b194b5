-- What the planner has to know of these tables it knows from a small sample; reading a large one, with columns that nobody searches by,
-- was most of what the database did for itself after a burst of work.
do $$
declare
  found record;
begin
  for found in
    select c.relname as table_name, a.attname as column_name, a.atttypid = 'bytea'::regtype as opaque
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.oid = any (array['runs_open', 'runs_closed', 'history']::regclass[]) and a.attnum > 0 and not a.attisdropped
  loop
    if found.opaque or found.table_name <> 'runs_closed' then
      execute format('alter table %I alter column %I set statistics %s', found.table_name, found.column_name, case when found.opaque then 0 else 20 end);
    end if;
  end loop;
end
$$;
