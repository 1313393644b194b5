/**
 * Makes the refund, once for a dispute: whoever asks again, after a crash or from another run, is given the refund that is there. The
 * order's row is locked meanwhile, so that two disputes about one order cannot both give back the last cent.
 */
import { ApplicationFailure } from '@perdure/sdk/activity';
import { findRefundable } from '../shop/queries.js';
import type { Dependencies } from './index.js';
import { problemOf } from './validate-proposal.js';

export interface RefundOrder {
  disputeId: number;
  customerId: number;
  paymentId: number;
  cents: number;
  reason: string;
  /** Who approved it, where somebody had to. */
  approvedBy?: string;
}

export interface RefundReceipt {
  refundId: number;
  cents: number;
  /** It was made before, by an earlier attempt or another run. */
  already: boolean;
}

export const refund =
  ({ database }: Dependencies) =>
  ({ disputeId, customerId, paymentId, cents, reason, approvedBy }: RefundOrder): Promise<RefundReceipt> =>
    database.write(async (query) => {
      await query('select 1 from shop.orders o join shop.payments p on p.order_id = o.id where p.id = $1 for update of o', [paymentId]);
      const [before] = await query<{ id: number; amount_cents: number }>('select id, amount_cents from shop.refunds where dispute_id = $1', [disputeId]);
      if (before) return { refundId: before.id, cents: before.amount_cents, already: true };
      const problem = problemOf(await findRefundable(query, customerId, paymentId), paymentId, cents);
      if (problem) throw ApplicationFailure.nonRetryable(problem, 'RefundNotPossible');
      const [made] = await query<{ id: number }>(
        'insert into shop.refunds (dispute_id, payment_id, amount_cents, reason, approved_by) values ($1, $2, $3, $4, $5) returning id',
        [disputeId, paymentId, cents, reason, approvedBy ?? null],
      );
      return { refundId: made!.id, cents, already: false };
    });
