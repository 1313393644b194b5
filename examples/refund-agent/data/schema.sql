-- The shop's database: what the example's CSV files fill, and what the agent writes. Amounts are cents of a euro.
-- Safe to run again: `seed` does, at each start.
create schema if not exists shop;

create table if not exists shop.customers (
  id integer primary key,
  name text not null,
  email text not null unique,
  country char(2) not null,
  since date not null,
  tier text not null check (tier in ('standard', 'plus'))
);

create table if not exists shop.orders (
  id integer primary key,
  customer_id integer not null references shop.customers,
  item text not null,
  quantity integer not null check (quantity > 0),
  unit_price_cents integer not null,
  shipping_cents integer not null,
  total_cents integer not null check (total_cents = quantity * unit_price_cents + shipping_cents),
  placed_on date not null,
  status text not null check (status in ('placed', 'shipped', 'delivered', 'returned', 'cancelled')),
  shipped_on date,
  delivered_on date,
  returned_on date
);
create index if not exists orders_of_customer on shop.orders (customer_id);

create table if not exists shop.payments (
  id integer primary key,
  order_id integer not null references shop.orders,
  kind text not null check (kind in ('charge', 'refund')),
  amount_cents integer not null check (amount_cents > 0),
  status text not null check (status in ('captured', 'failed')),
  method text not null,
  paid_on date not null
);
create index if not exists payments_of_order on shop.payments (order_id);

create table if not exists shop.disputes (
  id integer primary key,
  customer_id integer not null references shop.customers,
  opened_on date not null,
  channel text not null,
  message text not null
);

-- Refunds that the agent made: one for a dispute, however often it is asked to.
create table if not exists shop.refunds (
  id bigint generated always as identity primary key,
  dispute_id integer not null unique references shop.disputes,
  payment_id integer not null references shop.payments,
  amount_cents integer not null check (amount_cents > 0),
  reason text not null,
  approved_by text,
  made_at timestamptz not null default now()
);

-- How each dispute ended.
create table if not exists shop.resolutions (
  dispute_id integer primary key references shop.disputes,
  outcome text not null check (outcome in ('refunded', 'declined', 'rejected', 'escalated')),
  answer text not null,
  resolved_at timestamptz not null default now()
);

-- Every answer of the model, kept before the workflow hears of it: a step that is tried again asks here first.
create table if not exists shop.model_calls (
  key text primary key,
  model text not null,
  reply jsonb not null,
  called_at timestamptz not null default now()
);
