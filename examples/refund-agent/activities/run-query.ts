/** Runs a tool that reads: one query, in a read-only transaction with a statement timeout, for this customer only. */
import { ApplicationFailure } from '@perdure/sdk/activity';
import { type EarlierRefund, earlierRefunds, findOrders, listPayments, type Order, type Payment } from '../shop/queries.js';
import type { Dependencies } from './index.js';

/** A call that fits its tool's schema. */
export interface QueryCall {
  name: string;
  args: Record<string, unknown>;
  customerId: number;
}

export const runQuery =
  ({ database }: Dependencies) =>
  ({ name, args, customerId }: QueryCall): Promise<Order[] | Payment[] | EarlierRefund[]> =>
    database.read<Order[] | Payment[] | EarlierRefund[]>((query) => {
      switch (name) {
        case 'find_orders':
          return findOrders(query, customerId, args as { order_id?: number; item?: string });
        case 'list_payments':
          return listPayments(query, customerId, args['order_id'] as number);
        case 'earlier_refunds':
          return earlierRefunds(query, customerId);
        default:
          throw ApplicationFailure.nonRetryable(`${name} is no tool that reads.`, 'NoSuchTool');
      }
    });
