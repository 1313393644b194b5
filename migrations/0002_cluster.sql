-- What identifies this database to clients for as long as it lives.
create table cluster (
  only_one boolean primary key default true check (only_one),
  cluster_id uuid not null default gen_random_uuid()
);
insert into cluster default values;
