/** What the agent may read, each query bound to one customer: a dispute never shows another customer's orders. */
import type { Query } from './database.js';

export interface Case {
  disputeId: number;
  openedOn: string;
  channel: string;
  message: string;
  customer: { id: number; name: string; country: string; since: string; tier: string };
}

export interface Order {
  order_id: number;
  item: string;
  quantity: number;
  unit_price_cents: number;
  shipping_cents: number;
  total_cents: number;
  placed_on: string;
  status: string;
  delivered_on: string | null;
  returned_on: string | null;
}

export interface Payment {
  payment_id: number;
  order_id: number;
  kind: 'charge' | 'refund';
  amount_cents: number;
  status: 'captured' | 'failed';
  method: string;
  paid_on: string;
}

export interface EarlierRefund {
  dispute_id: number;
  order_id: number;
  amount_cents: number;
  reason: string;
}

export async function findCase(query: Query, disputeId: number): Promise<Case | undefined> {
  const [row] = await query<{ opened_on: string; channel: string; message: string; id: number; name: string; country: string; since: string; tier: string }>(
    `select d.opened_on, d.channel, d.message, c.id, c.name, c.country, c.since, c.tier
     from shop.disputes d join shop.customers c on c.id = d.customer_id where d.id = $1`,
    [disputeId],
  );
  if (!row) return undefined;
  const { opened_on: openedOn, channel, message, ...customer } = row;
  return { disputeId, openedOn, channel, message, customer };
}

export const findOrders = (query: Query, customerId: number, filter: { order_id?: number; item?: string }): Promise<Order[]> =>
  query<Order & Record<string, unknown>>(
    `select id as order_id, item, quantity, unit_price_cents, shipping_cents, total_cents, placed_on, status, delivered_on, returned_on
     from shop.orders
     where customer_id = $1 and ($2::integer is null or id = $2) and ($3::text is null or position(lower($3) in lower(item)) > 0)
     order by placed_on desc, id desc limit 20`,
    [customerId, filter.order_id ?? null, filter.item ?? null],
  );

export const listPayments = (query: Query, customerId: number, orderId: number): Promise<Payment[]> =>
  query<Payment & Record<string, unknown>>(
    `select p.id as payment_id, p.order_id, p.kind, p.amount_cents, p.status, p.method, p.paid_on
     from shop.payments p join shop.orders o on o.id = p.order_id
     where o.customer_id = $1 and o.id = $2 order by p.paid_on, p.id limit 50`,
    [customerId, orderId],
  );

/** Refunds that were made for earlier disputes. */
export const earlierRefunds = (query: Query, customerId: number): Promise<EarlierRefund[]> =>
  query<EarlierRefund & Record<string, unknown>>(
    `select r.dispute_id, p.order_id, r.amount_cents, r.reason
     from shop.refunds r join shop.payments p on p.id = r.payment_id join shop.orders o on o.id = p.order_id
     where o.customer_id = $1 order by r.made_at desc limit 20`,
    [customerId],
  );

export interface RefundablePayment {
  payment_id: number;
  order_id: number;
  item: string;
  kind: string;
  status: string;
  amount_cents: number;
  /** What was taken for the whole order and not yet given back. */
  left_cents: number;
}

/** A payment of that customer, with what of its order could still be given back. */
export async function findRefundable(query: Query, customerId: number, paymentId: number): Promise<RefundablePayment | undefined> {
  const [row] = await query<RefundablePayment & Record<string, unknown>>(
    `select p.id as payment_id, p.order_id, o.item, p.kind, p.status, p.amount_cents,
       (select coalesce(sum(case when q.kind = 'charge' then q.amount_cents else -q.amount_cents end), 0)
          from shop.payments q where q.order_id = o.id and q.status = 'captured')
       - (select coalesce(sum(r.amount_cents), 0) from shop.refunds r join shop.payments q on q.id = r.payment_id where q.order_id = o.id) as left_cents
     from shop.payments p join shop.orders o on o.id = p.order_id
     where o.customer_id = $1 and p.id = $2`,
    [customerId, paymentId],
  );
  return row;
}
