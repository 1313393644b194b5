/**
 * A stand-in for a model, so that the example runs without one: rules that read the conversation and choose the next tool, as a model
 * would. It is a pure function of the conversation, and whatever shows its output calls it by its name, "scripted".
 */
import type { Ending } from '../agent/conversation.js';
import type { Case, EarlierRefund, Order, Payment } from '../shop/queries.js';
import type { ChatMessage, Model, ModelReply } from './chat.js';
import { settle } from './scripted-rules.js';

export const scriptedModel: Model = {
  name: 'scripted',
  complete: async ({ messages, tools }) => (tools.length === 0 ? { text: writeAnswer(messages), toolCalls: [] } : chooseTool(messages)),
};

function chooseTool(messages: readonly ChatMessage[]): ModelReply {
  const theCase = jsonIn<Case>(messages.find((m) => m.role === 'user'));
  const results = toolResults(messages);
  const call = (name: string, args: object): ModelReply => ({ text: '', toolCalls: [{ id: `call-${messages.length}`, name, argumentsJson: JSON.stringify(args) }] });

  const orders = rows<Order>(results.find_orders);
  const named = /\b\d{5}\b/.exec(theCase.message)?.[0];
  if (!orders) return call('find_orders', named ? { order_id: Number(named) } : {});
  const order = orders.find((o) => String(o.order_id) === named) ?? (named ? undefined : orders.find((o) => mentions(theCase.message, o.item)));
  if (!order) return call('propose_resolution', { action: 'decline', reason: `The customer has no such order${named ? ` as ${named}` : ''}.` });
  const payments = rows<Payment>(results.list_payments);
  if (!payments) return call('list_payments', { order_id: order.order_id });
  const earlier = rows<EarlierRefund>(results.earlier_refunds);
  if (!earlier) return call('earlier_refunds', {});
  if (results.propose_resolution) return call('propose_resolution', { action: 'decline', reason: 'The refund that I proposed does not hold; a colleague should look at it.' });
  return call('propose_resolution', settle(theCase, order, payments, earlier));
}

/** Undefined for a tool that was not asked yet, or complained. */
const rows = <Row>(result: unknown): Row[] | undefined => (Array.isArray(result) ? (result as Row[]) : undefined);

/** What each tool said last, by its name. */
function toolResults(messages: readonly ChatMessage[]): Record<string, unknown> {
  const names = new Map(messages.flatMap((m) => (m.role === 'assistant' ? m.toolCalls.map((c) => [c.id, c.name] as const) : [])));
  const results = messages.flatMap((m) => (m.role === 'tool' ? [[names.get(m.toolCallId) ?? '', JSON.parse(m.content) as unknown] as const] : []));
  return Object.fromEntries(results);
}

const jsonIn = <T>(message: ChatMessage | undefined): T => JSON.parse(message?.content.slice(message.content.indexOf('{')) ?? '{}') as T;

/** Whether a text has a longer word of an item's name. */
const mentions = (text: string, item: string): boolean =>
  item
    .toLowerCase()
    .split(/\W+/)
    .some((word) => word.length > 4 && text.toLowerCase().includes(word));

function writeAnswer(messages: readonly ChatMessage[]): string {
  const theCase = jsonIn<Case>(messages.find((m) => m.role === 'user'));
  const { outcome, amount, item, reason } = jsonIn<Ending>(messages.at(-1));
  const greeting = `Hello ${theCase.customer.name.split(' ')[0]},`;
  switch (outcome) {
    case 'refunded':
      return `${greeting} we are sorry for the trouble with your order (${item}). ${amount} are on their way back to you, the way you paid. ${reason}`;
    case 'escalated':
      return `${greeting} thank you for your patience. A colleague is looking at your case personally and will write to you within two working days.`;
    case 'rejected':
      return `${greeting} a colleague has looked at your case closely, and we cannot offer a refund this time. If we have missed something, please answer to this message.`;
    default:
      return `${greeting} we have looked at your case closely, and cannot offer a refund this time. ${reason} If we have missed something, please answer to this message.`;
  }
}
