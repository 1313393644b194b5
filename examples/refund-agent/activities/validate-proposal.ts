/** Checks a proposed refund against the books: whose charge it is, and what is left of it. The model's word counts for nothing here. */
import type { Proposal } from '../agent/tools.js';
import { euros } from '../shop/money.js';
import { findRefundable, type RefundablePayment } from '../shop/queries.js';
import type { Dependencies } from './index.js';

export type Validation = { payment: RefundablePayment } | { problem: string };

export interface ProposalToCheck {
  proposal: Proposal;
  customerId: number;
}

export const validateProposal =
  ({ database }: Dependencies) =>
  async ({ proposal, customerId }: ProposalToCheck): Promise<Validation> => {
    const paymentId = proposal.payment_id!;
    const payment = await database.read((query) => findRefundable(query, customerId, paymentId));
    const problem = problemOf(payment, paymentId, proposal.refund_cents!);
    return problem ? { problem } : { payment: payment! };
  };

export function problemOf(payment: RefundablePayment | undefined, paymentId: number, cents: number): string | undefined {
  if (!payment) return `The customer has no payment ${paymentId}.`;
  if (payment.kind !== 'charge' || payment.status !== 'captured') return `Payment ${paymentId} is not a charge that took money.`;
  if (cents > payment.amount_cents) return `Payment ${paymentId} was ${euros(payment.amount_cents)}; ${euros(cents)} cannot be given back of it.`;
  if (cents > payment.left_cents) return `Of order ${payment.order_id} only ${euros(Math.max(0, payment.left_cents))} have not been given back.`;
  return undefined;
}
