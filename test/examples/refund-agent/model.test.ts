/** The refund agent's models: the endpoint's answers and refusals as the engine sees them, and the scripted one on every dispute of the shop. */
import { ApplicationFailure } from '@perdure/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkToolCall } from '../../../examples/refund-agent/activities/check-tool-call.js';
import { loadCase } from '../../../examples/refund-agent/activities/load-case.js';
import { runQuery } from '../../../examples/refund-agent/activities/run-query.js';
import { validateProposal } from '../../../examples/refund-agent/activities/validate-proposal.js';
import { askForAnswer, assistantSaid, openConversation, toolSaid } from '../../../examples/refund-agent/agent/conversation.js';
import { type Proposal, TOOLS } from '../../../examples/refund-agent/agent/tools.js';
import type { ChatMessage, Model } from '../../../examples/refund-agent/model/chat.js';
import { chooseModel } from '../../../examples/refund-agent/model/choose-model.js';
import { openAiModel } from '../../../examples/refund-agent/model/openai-model.js';
import { scriptedModel } from '../../../examples/refund-agent/model/scripted-model.js';
import { openShopDatabase, type ShopDatabase } from '../../../examples/refund-agent/shop/database.js';
import { loadShop } from '../../../examples/refund-agent/shop/load.js';
import { useDatabase } from '../../helpers/postgres.js';
import { calls, json, type ModelEndpoint, says, startModelEndpoint } from './model-endpoint.js';

const MESSAGES: ChatMessage[] = [
  { role: 'system', content: 'rules' },
  { role: 'user', content: 'a case' },
  { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'find_orders', argumentsJson: '{}' }] },
  { role: 'tool', toolCallId: 'c1', content: '[]' },
];

describe('a model behind an endpoint', () => {
  let endpoint: ModelEndpoint;
  let model: Model;
  beforeAll(async () => {
    endpoint = await startModelEndpoint(json(says('hello')));
    model = openAiModel({ baseUrl: `${endpoint.url}/`, apiKey: 'secret', model: 'small', timeoutMs: 300 });
  });
  afterEach(() => {
    endpoint.asked.length = 0;
  });
  afterAll(() => endpoint.stop());

  const complete = (tools = TOOLS) => model.complete({ messages: MESSAGES, tools, idempotencyKey: 'run/round-1' });
  const failure = async (): Promise<ApplicationFailure> => {
    const error = await complete().then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(ApplicationFailure);
    return error as ApplicationFailure;
  };

  it('is asked as chat completions with tools', async () => {
    endpoint.reply = json(calls('list_payments', { order_id: 7 }, 'c2'));
    expect(await complete()).toEqual({ text: '', toolCalls: [{ id: 'c2', name: 'list_payments', argumentsJson: '{"order_id":7}' }] });
    const [asked] = endpoint.asked;
    expect(asked).toMatchObject({ path: '/v1/chat/completions', authorization: 'Bearer secret', idempotencyKey: 'run/round-1', body: { model: 'small' } });
    expect(asked!.body.tools!.map((t) => t.function.name)).toEqual(['find_orders', 'list_payments', 'earlier_refunds', 'propose_resolution']);
    expect(asked!.body.messages.slice(2)).toEqual([
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'find_orders', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: '[]' },
    ]);
  });

  it('may answer with text, and is not offered tools then', async () => {
    endpoint.reply = json(says('Dear customer'));
    expect(await complete([])).toEqual({ text: 'Dear customer', toolCalls: [] });
    expect(endpoint.asked[0]!.body.tools).toBeUndefined();
  });

  it('may send arguments as an object and no id', async () => {
    endpoint.reply = json({ choices: [{ message: { tool_calls: [{ function: { name: 'find_orders', arguments: { order_id: 1 } } }] } }] });
    expect((await complete()).toolCalls).toEqual([{ id: 'call-1', name: 'find_orders', argumentsJson: '{"order_id":1}' }]);
  });

  it.each([
    [429, '7', 7_000],
    [503, '0.5', 500],
    [429, 'soon', undefined],
    [500, undefined, undefined],
    [408, undefined, undefined],
  ])('that answers %s with Retry-After %s is asked again, after that time', async (status, retryAfter, delayMs) => {
    endpoint.reply = json({ error: { message: 'busy' } }, status, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
    const { type, nonRetryable, nextRetryDelay, message } = await failure();
    expect({ type, nonRetryable, nextRetryDelay: nextRetryDelay ?? undefined }).toEqual({ type: 'ModelUnavailable', nonRetryable: false, nextRetryDelay: delayMs });
    expect(message).toContain(`answered ${status}: {"error":{"message":"busy"}}`);
  });

  it('that names a date to come again is taken at its word', async () => {
    endpoint.reply = json({}, 429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
    const { nextRetryDelay } = await failure();
    expect(nextRetryDelay).toBeGreaterThan(55_000);
    expect(nextRetryDelay).toBeLessThanOrEqual(60_000);
  });

  it.each([400, 401, 403, 404, 422])('that answers %s is not asked again', async (status) => {
    endpoint.reply = json({ error: 'no such model' }, status);
    expect(await failure()).toMatchObject({ type: 'ModelRefused', nonRetryable: true });
  });

  it.each([
    ['no JSON', '<html>', 'is no JSON'],
    ['no choices', { choices: [] }, 'has no message'],
    ['nothing at all', 'null', 'has no message'],
    ['an empty message', { choices: [{ message: { content: '' } }] }, 'is empty'],
    ['a nameless tool', { choices: [{ message: { tool_calls: [{ function: {} }] } }] }, 'calls a tool without a name'],
  ])('that answers with %s is asked again', async (_what, value, text) => {
    endpoint.reply = json(value);
    const { type, nonRetryable, message } = await failure();
    expect({ type, nonRetryable }).toEqual({ type: 'MalformedAnswer', nonRetryable: false });
    expect(message).toContain(text);
  });

  it('that says nothing in time, or is not there, is asked again', async () => {
    endpoint.reply = () => undefined;
    const silent = await failure();
    expect(silent).toMatchObject({ type: 'ModelUnavailable', nonRetryable: false });
    expect(silent.message).toContain('nothing came within 300 ms');
    const nowhere = openAiModel({ baseUrl: 'http://127.0.0.1:9', apiKey: '', model: 'small', timeoutMs: 1000 });
    await expect(nowhere.complete({ messages: MESSAGES, tools: [], idempotencyKey: 'k' })).rejects.toMatchObject({ type: 'ModelUnavailable' });
  });

  it('is left when the activity is cancelled', async () => {
    endpoint.reply = () => undefined;
    const controller = new AbortController();
    const call = model.complete({ messages: MESSAGES, tools: [], idempotencyKey: 'k', signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('the choice of a model', () => {
  it.each([
    [{}, 'scripted', 'no model is configured'],
    [{ OPENAI_API_KEY: 'k' }, 'scripted', 'PERDURE_MODEL is not set'],
    [{ OPENAI_BASE_URL: 'http://x/v1' }, 'scripted', 'PERDURE_MODEL is not set'],
    [{ PERDURE_MODEL: 'm' }, 'scripted', 'OPENAI_BASE_URL or OPENAI_API_KEY is not set'],
    [{ PERDURE_MODEL: 'm', OPENAI_BASE_URL: 'http://x/v1' }, 'm', 'Model: m at http://x/v1.'],
    [{ PERDURE_MODEL: 'm', OPENAI_API_KEY: 'k' }, 'm', 'Model: m at https://api.openai.com/v1.'],
  ])('with %j is %s, and says why', (env, name, text) => {
    const { model, sentence } = chooseModel(env);
    expect(model.name).toBe(name);
    expect(sentence).toContain(text);
    expect(sentence).toContain(name);
  });
});

describe('a tool call', () => {
  const check = (name: string, args: unknown) => checkToolCall({ id: 'c', name, argumentsJson: typeof args === 'string' ? args : JSON.stringify(args) });
  it.each([
    ['find_orders', { order_id: 10537 }],
    ['find_orders', {}],
    ['propose_resolution', { action: 'decline', reason: 'nothing to see' }],
    ['propose_resolution', { action: 'refund', reason: 'charged twice', payment_id: 1, refund_cents: 100 }],
  ])('of %s with %j fits', async (name, args) => expect(await check(name, args)).toEqual({ args }));
  it.each([
    ['drop_tables', {}, 'There is no tool "drop_tables"; there are find_orders,'],
    ['find_orders', '{order', 'The arguments of find_orders are no JSON: {order'],
    ['find_orders', { order_id: '10537' }, 'arguments/order_id must be integer'],
    ['find_orders', { customer_id: 3 }, 'must NOT have additional properties'],
    ['list_payments', {}, "must have required property 'order_id'"],
    ['propose_resolution', { action: 'refund', reason: 'charged twice' }, "must have required property 'payment_id'"],
    ['propose_resolution', { action: 'refund', reason: 'charged twice', payment_id: 1, refund_cents: -5 }, 'refund_cents must be >= 1'],
    ['propose_resolution', { action: 'give', reason: 'because I can' }, 'action must be equal to one of the allowed values'],
  ])('of %s with %j does not, and the model is told why', async (name, args, text) => {
    const checked = await check(name, args);
    expect('problem' in checked && checked.problem).toContain(text);
  });
});

describe('the scripted model', () => {
  const database = useDatabase({ migrated: false });
  let shop: ShopDatabase;
  beforeAll(async () => {
    shop = openShopDatabase(database.url);
    await loadShop(shop);
  });
  afterAll(() => shop.close());

  /** The agent's loop without the engine around it. */
  async function settle(disputeId: number): Promise<{ proposal: Proposal; tools: string[]; answer: string }> {
    const dependencies = { database: shop, model: scriptedModel };
    const theCase = await loadCase(dependencies)(disputeId);
    const conversation = openConversation(theCase);
    const tools: string[] = [];
    for (;;) {
      const reply = await scriptedModel.complete({ messages: conversation, tools: TOOLS, idempotencyKey: '' });
      conversation.push(assistantSaid(reply));
      const [call] = reply.toolCalls;
      const checked = await checkToolCall(call!);
      if ('problem' in checked) throw new Error(checked.problem);
      tools.push(call!.name);
      if (call!.name !== 'propose_resolution') {
        conversation.push(toolSaid(call!, await runQuery(dependencies)({ name: call!.name, args: checked.args, customerId: theCase.customer.id })));
        continue;
      }
      const proposal = checked.args as unknown as Proposal;
      if (proposal.action === 'refund') expect(await validateProposal(dependencies)({ proposal, customerId: theCase.customer.id })).toHaveProperty('payment');
      conversation.push(askForAnswer({ outcome: proposal.action === 'refund' ? 'refunded' : 'declined', reason: proposal.reason, amount: '1.00 EUR', item: 'x' }));
      const { text } = await scriptedModel.complete({ messages: conversation, tools: [], idempotencyKey: '' });
      return { proposal, tools, answer: text };
    }
  }

  it('is a pure function of the conversation', async () => expect(await settle(1007)).toEqual(await settle(1007)));

  it.each([
    [1001, 3390, 'charged twice'],
    [1002, 5400, 'damaged'],
    [1003, 18_900, 'not delivered'],
    [1004, 5090, 'not delivered'],
    [1005, 0, 'was delivered on'],
    [1006, 0, 'was charged once'],
    [1007, 24_900, 'charged twice'],
    [1008, 11_900, 'damaged'],
    [1009, 3400, 'damaged'],
    [1010, 900, 'more than the total'],
    [1011, 5000, 'more than the total'],
    [1012, 8900, 'came back on'],
    [1013, 16_800, 'came back on'],
    [1014, 0, 'given back already'],
    [1015, 0, 'given back already'],
    [1016, 0, 'has not come back'],
    [1017, 0, 'the shop takes 30'],
    [1018, 14_700, 'charged twice'],
    [1019, 0, 'is on its way'],
    [1020, 29_800, 'damaged'],
    [1021, 0, 'was charged once'],
    [1022, 13_900, 'cancelled'],
    [1023, 7400, 'damaged'],
    [1024, 0, 'no such order as 99999'],
  ])('settles dispute %i with %i cents: %s', async (disputeId, cents, reason) => {
    const { proposal, tools, answer } = await settle(disputeId);
    expect({ action: proposal.action, cents: proposal.refund_cents ?? 0 }).toEqual({ action: cents > 0 ? 'refund' : 'decline', cents });
    expect(proposal.reason).toContain(reason);
    expect(answer).toMatch(/^Hello [A-Z][a-z]+, we /);
    expect(tools.at(-1)).toBe('propose_resolution');
  });
});
