/** What came of each of the agent's activities, in a few words. */
import type { ModelAnswer, ModelStep } from '../activities/ask-model.js';
import type { CheckedCall } from '../activities/check-tool-call.js';
import type { Resolution } from '../activities/close-dispute.js';
import type { RefundReceipt } from '../activities/refund.js';
import type { QueryCall } from '../activities/run-query.js';
import type { ProposalToCheck, Validation } from '../activities/validate-proposal.js';
import type { ToolCall } from '../model/chat.js';
import { euros } from '../shop/money.js';
import type { Case, EarlierRefund, Order, Payment } from '../shop/queries.js';

type Said = [step: string, outcome: string];

const shortened = (text: string, max = 160): string => {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
};

const OUTCOMES: Readonly<Record<string, (input: never, result: never) => Said>> = {
  loadCase: (_: number, { disputeId, customer, message }: Case) => ['hydrate', `dispute ${disputeId} of ${customer.name}: "${shortened(message)}"`],
  askModel: ({ withTools }: ModelStep, { model, text, toolCalls }: ModelAnswer) => {
    if (!withTools) return ['answer', `${text} [${model} model]`];
    const calls = toolCalls.map(({ name, argumentsJson }) => `${name} ${shortened(argumentsJson)}`);
    return ['plan', `${calls.join(', ') || shortened(text)} [${model} model]`];
  },
  checkToolCall: ({ name }: ToolCall, checked: CheckedCall) => ['check', 'problem' in checked ? checked.problem : `the arguments fit the schema of ${name}`],
  runQuery: ({ name }: QueryCall, rows: (Order | Payment | EarlierRefund)[]) => ['query', `${name}: ${rows.length === 0 ? 'nothing' : rows.map(rowText).join('; ')}`],
  validateProposal: ({ proposal }: ProposalToCheck, validation: Validation) => [
    'validate',
    'problem' in validation ? validation.problem : `${euros(proposal.refund_cents!)} of payment ${validation.payment.payment_id} (${validation.payment.item}) can be given back`,
  ],
  refund: (_: unknown, { refundId, cents, already }: RefundReceipt) => ['refund', `${euros(cents)} given back, refund ${refundId}${already ? ' (it had been made before)' : ''}`],
  closeDispute: ({ disputeId, outcome }: Resolution) => ['close', `dispute ${disputeId}: ${outcome}`],
};

function rowText(row: Order | Payment | EarlierRefund): string {
  if ('item' in row) return `order ${row.order_id}, ${row.quantity} × ${row.item}, ${euros(row.total_cents)}, ${row.status}`;
  if ('payment_id' in row) return `${row.kind} ${row.payment_id} of ${euros(row.amount_cents)} on ${row.paid_on}${row.status === 'captured' ? '' : `, ${row.status}`}`;
  return `${euros(row.amount_cents)} for dispute ${row.dispute_id}`;
}

/** An activity that this file does not know is shown by its name. */
export const activityOutcome = (type: string, input: unknown, result: unknown): Said => OUTCOMES[type]?.(input as never, result as never) ?? [type, 'done'];
