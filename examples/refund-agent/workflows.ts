/**
 * The refund agent: from a dispute in plain words to a refund, or to a friendly no. Every call of the model and of a tool is an
 * activity, so its result is in the history: whatever is killed, the run goes on after the last finished step.
 */
import { ApplicationFailure, type Duration, proxyActivities, upsertMemo, waitForApproval } from '@perdure/sdk/workflow';
import type { Activities } from './activities/index.js';
import { askForAnswer, assistantSaid, type Ending, openConversation, remindOfTools, toolSaid } from './agent/conversation.js';
import type { Proposal } from './agent/tools.js';
import type { ChatMessage } from './model/chat.js';
import { euros } from './shop/money.js';
import type { Case, RefundablePayment } from './shop/queries.js';

export interface RefundAgentInput {
  disputeId: number;
  /** A refund above this needs a person's approval. Default 100 EUR. */
  approvalAboveCents?: number;
  /** How long a person has. Default 3 days; after that the case goes to a colleague. */
  approvalTimeout?: Duration;
}

export interface RefundAgentResult {
  disputeId: number;
  outcome: Ending['outcome'];
  refundCents: number;
  /** Who approved or rejected the refund, where somebody was asked. */
  decidedBy?: string;
  answer: string;
}

/** Rounds of model and tools before the case goes to a colleague. */
const ROUNDS_MAX = 12;

const { loadCase, checkToolCall, runQuery, validateProposal, refund, closeDispute } = proxyActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500ms', maximumInterval: '30 seconds' },
});

/** A model may think for long (a worker that died meanwhile is noticed by its silence) and be out for long; what it refuses for good ends the run. */
const { askModel } = proxyActivities<Activities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

export async function refundAgent({ disputeId, approvalAboveCents = 10_000, approvalTimeout = '3 days' }: RefundAgentInput): Promise<RefundAgentResult> {
  const theCase = await loadCase(disputeId);
  const conversation = openConversation(theCase);
  const finding = await investigate(theCase, conversation);

  let ending: Ending;
  let refundCents = 0;
  let decidedBy: string | undefined;
  if (!finding) {
    ending = { outcome: 'escalated', reason: `No proposal that holds came out of ${ROUNDS_MAX} rounds.` };
  } else if (!finding.payment) {
    ending = { outcome: 'declined', reason: finding.proposal.reason };
  } else {
    const { proposal, payment } = finding;
    const cents = proposal.refund_cents!;
    const permission = await permit(theCase, proposal, payment, cents > approvalAboveCents ? approvalTimeout : undefined);
    decidedBy = permission.by;
    if (permission.granted) {
      const { id: customerId } = theCase.customer;
      const receipt = await refund({ disputeId, customerId, paymentId: payment.payment_id, cents, reason: proposal.reason, approvedBy: decidedBy });
      refundCents = receipt.cents;
    }
    ending = { outcome: permission.outcome, amount: permission.granted ? euros(refundCents) : undefined, item: payment.item, reason: permission.reason };
  }

  conversation.push(askForAnswer(ending));
  const { text: answer } = await askModel({ step: 'answer', messages: conversation, withTools: false });
  await closeDispute({ disputeId, outcome: ending.outcome, answer });
  return { disputeId, outcome: ending.outcome, refundCents, decidedBy, answer };
}

/** What the investigation ends with: a proposal, and for a refund the charge that it holds for. */
interface Finding {
  proposal: Proposal;
  payment?: RefundablePayment;
}

/** Lets the model call tools until it makes a proposal that holds. Undefined when it never does. */
async function investigate({ customer: { id: customerId } }: Case, conversation: ChatMessage[]): Promise<Finding | undefined> {
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const reply = await askModel({ step: `round-${round}`, messages: conversation, withTools: true });
    conversation.push(assistantSaid(reply));
    if (reply.toolCalls.length === 0) conversation.push(remindOfTools);
    for (const call of reply.toolCalls) {
      const checked = await checkToolCall(call);
      if ('problem' in checked) {
        conversation.push(toolSaid(call, checked));
        continue;
      }
      if (call.name !== 'propose_resolution') {
        conversation.push(toolSaid(call, await runQuery({ name: call.name, args: checked.args, customerId })));
        continue;
      }
      const proposal = checked.args as unknown as Proposal;
      const finding = proposal.action === 'decline' ? { proposal } : await holds(proposal, customerId);
      if ('proposal' in finding) return finding;
      conversation.push(toolSaid(call, finding));
    }
    checkpoint(round, reply.toolCalls.map((call) => call.name));
  }
  return undefined;
}

async function holds(proposal: Proposal, customerId: number): Promise<Finding | { problem: string }> {
  const validation = await validateProposal({ proposal, customerId });
  return 'problem' in validation ? validation : { proposal, payment: validation.payment };
}

/** Shows in the run's memo how far it is, for whoever looks at it from outside. The conversation itself needs no saving: history has it. */
function checkpoint(round: number, tools: string[]): void {
  upsertMemo({ checkpoint: { round, tools } });
}

interface Permission {
  granted: boolean;
  outcome: Ending['outcome'];
  reason: string;
  by?: string;
}

/** A small refund needs nobody. For a larger one the run waits for a person; if nobody decides in time, a colleague takes the case. */
async function permit(theCase: Case, proposal: Proposal, payment: RefundablePayment, timeout: Duration | undefined): Promise<Permission> {
  const granted: Permission = { granted: true, outcome: 'refunded', reason: proposal.reason };
  if (timeout === undefined) return granted;
  const { decision, by, reason } = await waitForApproval({
    id: 'refund',
    what: `Refund ${euros(proposal.refund_cents!)} to ${theCase.customer.name} for order ${payment.order_id} (${payment.item}): ${proposal.reason}`,
    requestedFrom: 'support leads',
    timeout,
    details: { dispute: theCase.message, proposal, payment },
  });
  switch (decision) {
    case 'approved':
      return { ...granted, by };
    case 'rejected':
      return { granted: false, outcome: 'rejected', reason: reason || 'The refund was not approved.', by };
    case 'timed-out':
      return { granted: false, outcome: 'escalated', reason: 'Nobody decided in time.' };
    default:
      throw ApplicationFailure.nonRetryable(`Unknown decision: ${String(decision satisfies never)}`);
  }
}
