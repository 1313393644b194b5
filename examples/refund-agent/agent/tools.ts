/** The tools that the model may call: what it is told about them, and the JSON Schema that its arguments must fit. */
import type { ToolDescription } from '../model/chat.js';

const id = (description: string): object => ({ type: 'integer', minimum: 1, description });

export const TOOLS: readonly ToolDescription[] = [
  {
    name: 'find_orders',
    description: "The customer's orders, the newest first: all of them, one by its number, or those whose item contains some words.",
    parameters: {
      type: 'object',
      properties: { order_id: id('Number of the order'), item: { type: 'string', minLength: 2, maxLength: 80, description: 'Words in the name of the item' } },
      additionalProperties: false,
    },
  },
  {
    name: 'list_payments',
    description: "What was charged and given back for one of the customer's orders.",
    parameters: { type: 'object', properties: { order_id: id('Number of the order') }, required: ['order_id'], additionalProperties: false },
  },
  {
    name: 'earlier_refunds',
    description: 'Refunds that this customer got for earlier disputes.',
    parameters: { type: 'object', properties: {}, additionalProperties: false },
  },
  {
    name: 'propose_resolution',
    description: 'Ends the investigation. A refund names the charge that it gives back and how much of it; declining names neither.',
    parameters: {
      type: 'object',
      properties: {
        action: { enum: ['refund', 'decline'] },
        payment_id: id('The charge to give back'),
        refund_cents: { type: 'integer', minimum: 1, maximum: 1_000_000, description: 'How much of it, in cents of a euro' },
        reason: { type: 'string', minLength: 5, maxLength: 500, description: 'Why, in a sentence for colleagues' },
      },
      required: ['action', 'reason'],
      if: { properties: { action: { const: 'refund' } } },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: { required: ['payment_id', 'refund_cents'] },
      additionalProperties: false,
    },
  },
];

/** Arguments of `propose_resolution` that fit its schema. */
export interface Proposal {
  action: 'refund' | 'decline';
  payment_id?: number;
  refund_cents?: number;
  reason: string;
}
