/**
 * A model behind an OpenAI-compatible endpoint (`POST …/chat/completions` with tools): hosted, or one of your own.
 * Failures say whether another attempt may help, and when; the engine does the waiting.
 */
import { ApplicationFailure } from '@perdure/sdk/activity';
import type { ChatMessage, Model, ModelReply, ModelRequest } from './chat.js';

export interface OpenAiOptions {
  /** For example `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string;
  /** Empty for endpoints that want none. */
  readonly apiKey: string;
  readonly model: string;
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
}

export function openAiModel({ baseUrl, apiKey, model, timeoutMs }: OpenAiOptions): Model {
  const url = `${baseUrl.replace(/\/+$/, '')}/chat/completions`;
  return {
    name: model,
    async complete(request) {
      const headers = {
        'content-type': 'application/json',
        'idempotency-key': request.idempotencyKey,
        ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      };
      const signals = [AbortSignal.timeout(timeoutMs), ...(request.signal ? [request.signal] : [])];
      let response: Response;
      let text: string;
      try {
        response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(requestBody(model, request)), signal: AbortSignal.any(signals) });
        text = await response.text();
      } catch (error) {
        if (request.signal?.aborted) throw error;
        throw unavailable(`${url} did not answer: ${reasonOf(error, timeoutMs)}`);
      }
      if (!response.ok) throw refusal(url, response, text);
      return readReply(text);
    },
  };
}

function requestBody(model: string, { messages, tools }: ModelRequest): object {
  const functions = tools.map(({ name, description, parameters }) => ({ type: 'function', function: { name, description, parameters } }));
  return { model, messages: messages.map(wireMessage), ...(functions.length > 0 && { tools: functions }) };
}

function wireMessage(message: ChatMessage): object {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content };
  if (message.role !== 'assistant' || message.toolCalls.length === 0) return { role: message.role, content: message.content };
  const calls = message.toolCalls.map(({ id, name, argumentsJson }) => ({ id, type: 'function', function: { name, arguments: argumentsJson } }));
  return { role: 'assistant', content: message.content || null, tool_calls: calls };
}

/** Another attempt may help, after that time if the endpoint named one. */
const unavailable = (message: string, nextRetryDelay?: number): ApplicationFailure =>
  ApplicationFailure.create({ type: 'ModelUnavailable', message, nextRetryDelay });

const reasonOf = (error: unknown, timeoutMs: number): string => {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `nothing came within ${timeoutMs} ms`;
  return cause instanceof Error && cause.message ? cause.message : message;
};

/** Too many requests, and what the endpoint itself could not do: later. Everything else (key, model, request): never. */
function refusal(url: string, { status, headers }: Response, text: string): ApplicationFailure {
  const message = `${url} answered ${status}: ${text.slice(0, 500) || 'no text'}`;
  const passes = status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
  if (passes) return unavailable(message, retryAfterMs(headers.get('retry-after')));
  return ApplicationFailure.create({ type: 'ModelRefused', message, nonRetryable: true });
}

const LONGEST_PAUSE_MS = 10 * 60_000;

/** `Retry-After`: seconds, or a date. */
function retryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(Math.ceil(ms), LONGEST_PAUSE_MS) : undefined;
}

interface WireReply {
  choices?: { message?: { content?: unknown; tool_calls?: { id?: unknown; function?: { name?: unknown; arguments?: unknown } }[] | null } }[];
}

/** A malformed answer is worth another attempt: models say something else each time. */
function readReply(text: string): ModelReply {
  const malformed = (what: string): ApplicationFailure => ApplicationFailure.create({ type: 'MalformedAnswer', message: `The model's answer ${what}: ${text.slice(0, 500)}` });
  let reply: WireReply;
  try {
    reply = JSON.parse(text) as WireReply;
  } catch {
    throw malformed('is no JSON');
  }
  const message = reply?.choices?.[0]?.message;
  if (typeof message !== 'object' || message === null) throw malformed('has no message');
  const toolCalls = (message.tool_calls ?? []).map(({ id, function: called }, index) => {
    if (typeof called?.name !== 'string') throw malformed('calls a tool without a name');
    const { arguments: given } = called;
    const argumentsJson = typeof given === 'string' ? given : JSON.stringify(given ?? {}); // some endpoints send the object itself
    return { id: typeof id === 'string' && id ? id : `call-${index + 1}`, name: called.name, argumentsJson };
  });
  const content = typeof message.content === 'string' ? message.content : '';
  if (!content && toolCalls.length === 0) throw malformed('is empty');
  return { text: content, toolCalls };
}
