/** The scripted model behind an endpoint: what it says comes over the wire, and its calls can be counted, held and failed. */
import type { ServerResponse } from 'node:http';
import { TOOLS } from '../../../examples/refund-agent/agent/tools.js';
import type { ChatMessage } from '../../../examples/refund-agent/model/chat.js';
import { scriptedModel } from '../../../examples/refund-agent/model/scripted-model.js';
import { json, type ModelEndpoint, type Reply, startModelEndpoint } from './model-endpoint.js';

type Asked = Parameters<Reply>[0];

const fromWire = (message: Asked['body']['messages'][number]): ChatMessage => {
  const content = message.content ?? '';
  if (message.role === 'tool') return { role: 'tool', toolCallId: message.tool_call_id ?? '', content };
  if (message.role !== 'assistant') return { role: message.role as 'system' | 'user', content };
  const toolCalls = (message.tool_calls ?? []).map((call) => ({ id: (call as unknown as { id: string }).id, name: call.function.name, argumentsJson: call.function.arguments }));
  return { role: 'assistant', content, toolCalls };
};

const answerByScript: Reply = async (asked, response: ServerResponse) => {
  const { messages, tools } = asked.body;
  const { text, toolCalls } = await scriptedModel.complete({ messages: messages.map(fromWire), tools: tools ? TOOLS : [], idempotencyKey: '' });
  const tool_calls = toolCalls.map(({ id, name, argumentsJson }) => ({ id, type: 'function', function: { name, arguments: argumentsJson } }));
  await json({ choices: [{ message: { role: 'assistant', content: text || null, ...(tool_calls.length > 0 && { tool_calls }) } }] })(asked, response);
};

export interface ScriptedEndpoint extends ModelEndpoint {
  /** Calls by step, such as `round-2`. */
  counts(): Record<string, number>;
  /** Holds the first call of a step until released; says when it came. */
  hold(step: string): { came: Promise<void>; release: () => void };
  readonly environment: Record<string, string>;
}

const stepOf = (asked: Asked): string => asked.idempotencyKey?.split('/').at(-1) ?? '';

export async function startScriptedEndpoint(): Promise<ScriptedEndpoint> {
  const held = new Map<string, { came: () => void; released: Promise<void> }>();
  const endpoint = await startModelEndpoint(async (asked, response) => {
    const hold = held.get(stepOf(asked));
    if (hold) {
      held.delete(stepOf(asked));
      hold.came();
      await hold.released;
    }
    if (!response.destroyed) await answerByScript(asked, response);
  });
  return Object.assign(endpoint, {
    counts: () => {
      const counts: Record<string, number> = {};
      for (const asked of endpoint.asked) counts[stepOf(asked)] = (counts[stepOf(asked)] ?? 0) + 1;
      return counts;
    },
    hold: (step: string) => {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const came = new Promise<void>((resolve) => held.set(step, { came: resolve, released }));
      return { came, release };
    },
    environment: { OPENAI_BASE_URL: endpoint.url, PERDURE_MODEL: 'held-model' },
  });
}
