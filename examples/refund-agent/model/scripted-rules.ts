/** How the scripted model settles a case: the shop's rules, by words in the claim and facts in the database. */
import type { Proposal } from '../agent/tools.js';
import { euros } from '../shop/money.js';
import type { Case, EarlierRefund, Order, Payment } from '../shop/queries.js';

const DAY_MS = 86_400_000;
const days = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

const decline = (reason: string): Proposal => ({ action: 'decline', reason });

interface Facts {
  theCase: Case;
  order: Order;
  charges: Payment[];
  /** Captured for the order and not yet given back. */
  leftCents: number;
}

/** The first claim whose words the message has decides. */
const CLAIMS: readonly [words: RegExp, rule: (facts: Facts) => Proposal][] = [
  [/twice|double|two charges/i, chargedTwice],
  [/too much|difference|amount .* wrong/i, chargedTooMuch],
  [/never arrived|not arrived|never received|still waiting/i, neverArrived],
  [/damaged|broken|crack|torn|\bhole\b/i, damaged],
  [/return(ed)? |sent back|cancel/i, sentBack],
];

export function settle(theCase: Case, order: Order, payments: readonly Payment[], earlier: readonly EarlierRefund[]): Proposal {
  const captured = payments.filter((p) => p.status === 'captured');
  const charges = captured.filter((p) => p.kind === 'charge');
  const sum = (amounts: { amount_cents: number }[]): number => amounts.reduce((total, { amount_cents }) => total + amount_cents, 0);
  const given = sum(captured.filter((p) => p.kind === 'refund')) + sum(earlier.filter((e) => e.order_id === order.order_id));
  const leftCents = sum(charges) - given;
  if (charges.length === 0) return decline('No money was taken for this order.');
  if (leftCents <= 0) return decline(`Everything that was paid for order ${order.order_id} has been given back already.`);
  const claim = CLAIMS.find(([words]) => words.test(theCase.message));
  return claim ? claim[1]({ theCase, order, charges, leftCents }) : decline('The message makes no claim that the rules know.');
}

const refund = ({ charges, leftCents }: Facts, cents: number, reason: string, charge = charges.at(-1)!): Proposal => ({
  action: 'refund',
  payment_id: charge.payment_id,
  refund_cents: Math.min(cents, leftCents, charge.amount_cents),
  reason,
});

function chargedTwice(facts: Facts): Proposal {
  const { order, charges } = facts;
  const [first, second] = charges;
  if (!second || first!.amount_cents !== second.amount_cents) return decline(`Order ${order.order_id} was charged once: ${euros(first!.amount_cents)} on ${first!.paid_on}.`);
  return refund(facts, second.amount_cents, `Order ${order.order_id} was charged twice: on ${first!.paid_on} and on ${second.paid_on}.`, second);
}

function chargedTooMuch(facts: Facts): Proposal {
  const { order, leftCents } = facts;
  const over = leftCents - order.total_cents;
  if (over <= 0) return decline(`Order ${order.order_id} cost ${euros(order.total_cents)}, and no more was charged.`);
  return refund(facts, over, `${euros(over)} more than the total of order ${order.order_id} was charged.`);
}

function neverArrived(facts: Facts): Proposal {
  const { theCase, order } = facts;
  if (order.delivered_on) return decline(`Order ${order.order_id} was delivered on ${order.delivered_on}.`);
  const waited = days(order.placed_on, theCase.openedOn);
  if (waited <= 14) return decline(`Order ${order.order_id} was placed only ${waited} days before, and is on its way.`);
  return refund(facts, order.total_cents, `Order ${order.order_id} was not delivered within ${waited} days.`);
}

function damaged(facts: Facts): Proposal {
  const { theCase, order } = facts;
  if (!order.delivered_on) return decline(`Order ${order.order_id} has not been delivered.`);
  const since = days(order.delivered_on, theCase.openedOn);
  if (since > 30) return decline(`The damage was reported ${since} days after the delivery; the shop takes 30.`);
  return refund(facts, order.quantity * order.unit_price_cents, `Reported damaged ${since} days after the delivery.`);
}

function sentBack(facts: Facts): Proposal {
  const { order } = facts;
  if (order.returned_on) return refund(facts, order.total_cents, `Order ${order.order_id} came back on ${order.returned_on}, and nothing was given back yet.`);
  if (order.status === 'cancelled') return refund(facts, order.total_cents, `Order ${order.order_id} was cancelled, and its charge was not given back.`);
  return decline(`Order ${order.order_id} has not come back.`);
}
