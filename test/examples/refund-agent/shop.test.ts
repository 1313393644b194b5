/** The refund agent's shop: its data hold together, loading them twice changes nothing, and what the agent does to it is safe. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCase } from '../../../examples/refund-agent/activities/load-case.js';
import { refund } from '../../../examples/refund-agent/activities/refund.js';
import { runQuery } from '../../../examples/refund-agent/activities/run-query.js';
import { validateProposal } from '../../../examples/refund-agent/activities/validate-proposal.js';
import { scriptedModel } from '../../../examples/refund-agent/model/scripted-model.js';
import { parseCsv } from '../../../examples/refund-agent/shop/csv.js';
import { openShopDatabase, type ShopDatabase } from '../../../examples/refund-agent/shop/database.js';
import { loadShop } from '../../../examples/refund-agent/shop/load.js';
import { useDatabase } from '../../helpers/postgres.js';

const database = useDatabase({ migrated: false });
let shop: ShopDatabase;
let client: pg.Client;

beforeAll(async () => {
  shop = openShopDatabase(database.url);
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await shop.close();
});

const rows = async (sql: string): Promise<Record<string, unknown>[]> => (await client.query(sql)).rows as Record<string, unknown>[];
const dependencies = () => ({ database: shop, model: scriptedModel });

describe('CSV', () => {
  it('reads quotes, commas, line breaks and empty fields', () => {
    expect(parseCsv('a,b,c\r\n1,"x, ""y""\nz",\n')).toEqual([{ a: '1', b: 'x, "y"\nz', c: null }]);
  });
  it('names the line that has too few fields', () => {
    expect(() => parseCsv('a,b\n1,2\n3\n')).toThrow('Line 3: expected 2 fields, got 1');
  });
});

describe('the shop', () => {
  it('is loaded by several at once, and loading it again adds nothing', async () => {
    const loads = await Promise.all([loadShop(shop), loadShop(shop)]);
    const added = loads.map((tables) => tables.reduce((sum, t) => sum + t.added, 0)).sort((a, b) => a - b);
    expect(added[0]).toBe(0);
    expect(added[1]).toBe(458);
    expect((await loadShop(shop)).map((t) => [t.table, t.rows, t.added])).toEqual([
      ['customers', 60, 0],
      ['orders', 173, 0],
      ['payments', 201, 0],
      ['disputes', 24, 0],
    ]);
  });

  it('has data that hold together', async () => {
    expect(await rows('select o.id from shop.orders o join shop.customers c on c.id = o.customer_id where o.placed_on < c.since')).toEqual([]);
    expect(await rows("select id from shop.orders where status = 'delivered' and not (placed_on <= shipped_on and shipped_on < delivered_on)")).toEqual([]);
    expect(await rows("select id from shop.orders where (status = 'returned') <> (returned_on is not null)")).toEqual([]);
    expect(await rows('select p.id from shop.payments p join shop.orders o on o.id = p.order_id where p.paid_on < o.placed_on')).toEqual([]);
    const overRefunded = `select order_id from shop.payments where status = 'captured' group by order_id having sum(case when kind = 'charge' then amount_cents else -amount_cents end) < 0`;
    expect(await rows(overRefunded)).toEqual([]);
    expect(await rows('select d.id from shop.disputes d left join shop.orders o on o.customer_id = d.customer_id group by d.id having count(o.id) = 0 and d.id <> 1024')).toEqual([]);
  });
});

describe('what the agent may do', () => {
  it('reads in a transaction that cannot write, and is cut off when a query takes too long', async () => {
    await expect(shop.read((query) => query("update shop.customers set name = 'x'"))).rejects.toThrow('read-only transaction');
    await expect(shop.read((query) => query('select pg_sleep(30)'))).rejects.toThrow('statement timeout');
    expect(await shop.read((query) => query('select 1 as one'))).toEqual([{ one: 1 }]);
  });

  it('shows no other customer anything', async () => {
    const [{ id }] = (await rows('select id from shop.orders where customer_id <> 204 limit 1')) as [{ id: number }];
    const run = runQuery(dependencies());
    expect(await run({ name: 'find_orders', args: { order_id: id }, customerId: 204 })).toEqual([]);
    expect(await run({ name: 'list_payments', args: { order_id: id }, customerId: 204 })).toEqual([]);
    await expect(run({ name: 'propose_resolution', args: {}, customerId: 204 })).rejects.toThrow('is no tool that reads');
    await expect(loadCase(dependencies())(9999)).rejects.toThrow('There is no dispute 9999.');
  });

  it('finds a proposal that the books do not support', async () => {
    const validate = validateProposal(dependencies());
    const check = (payment_id: number, refund_cents: number, customerId = 204) => validate({ proposal: { action: 'refund', payment_id, refund_cents, reason: 'because' }, customerId });
    const charges = (await rows("select p.id from shop.payments p join shop.orders o on o.id = p.order_id where o.id = 10537 order by p.id")) as { id: number }[];
    expect(charges).toHaveLength(2);
    const { id } = charges[1]!;
    expect(await check(id, 24_900)).toMatchObject({ payment: { payment_id: id, item: 'Oak reading chair', left_cents: 49_800 } });
    expect(await check(id, 24_901)).toEqual({ problem: `Payment ${id} was 249.00 EUR; 249.01 EUR cannot be given back of it.` });
    expect(await check(id, 100, 205)).toEqual({ problem: `The customer has no payment ${id}.` });
    expect(await check(1, 100)).toEqual({ problem: 'The customer has no payment 1.' });
    const [failed] = (await rows("select p.id, o.customer_id from shop.payments p join shop.orders o on o.id = p.order_id where p.status = 'failed' limit 1")) as [{ id: number; customer_id: number }];
    expect(await check(failed.id, 100, failed.customer_id)).toEqual({ problem: `Payment ${failed.id} is not a charge that took money.` });
  });

  it('makes one refund for a dispute, however many ask, and never more than is left', async () => {
    const pay = refund(dependencies());
    const [{ id }] = (await rows('select max(p.id) as id from shop.payments p where p.order_id = 10537')) as [{ id: number }];
    const order = { disputeId: 1007, customerId: 204, paymentId: id, cents: 24_900, reason: 'charged twice', approvedBy: 'anna' };
    const receipts = await Promise.all(Array.from({ length: 5 }, () => pay(order)));
    expect(receipts.filter((r) => !r.already)).toHaveLength(1);
    expect(new Set(receipts.map((r) => r.refundId)).size).toBe(1);
    expect(await rows('select dispute_id, payment_id, amount_cents, approved_by from shop.refunds')).toEqual([{ dispute_id: 1007, payment_id: id, amount_cents: 24_900, approved_by: 'anna' }]);
    // another dispute about the same order: 24,900 of 49,800 are left
    await expect(pay({ ...order, disputeId: 1001, cents: 24_900 })).resolves.toMatchObject({ already: false });
    await expect(pay({ ...order, disputeId: 1002, cents: 1 })).rejects.toThrow('Of order 10537 only 0.00 EUR have not been given back.');
  });
});
