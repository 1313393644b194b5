/** An OpenAI-compatible endpoint for tests: answers as it is told, and counts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly body: {
    model: string;
    messages: { role: string; content: string | null; tool_call_id?: string; tool_calls?: { function: { name: string; arguments: string } }[] }[];
    tools?: { function: { name: string } }[];
  };
}

export type Reply = (asked: Asked, response: ServerResponse) => void | Promise<void>;

export interface ModelEndpoint {
  readonly url: string;
  readonly asked: Asked[];
  /** How it answers from now on. */
  reply: Reply;
  stop(): Promise<void>;
}

export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  (_asked, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof value === 'string' ? value : JSON.stringify(value));
  };

const assistant = (message: object): object => ({ id: 'x', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', ...message } }] });
export const says = (content: string): object => assistant({ content });
export const calls = (name: string, args: unknown, id = `call_${name}`): object =>
  assistant({ content: null, tool_calls: [{ id, type: 'function', function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) } }] });

export async function startModelEndpoint(reply: Reply): Promise<ModelEndpoint> {
  const server = createServer(async (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization, 'idempotency-key': key } = request.headers;
    const asked: Asked = { path: request.url ?? '', authorization, idempotencyKey: key as string | undefined, body: JSON.parse(Buffer.concat(chunks).toString()) as Asked['body'] };
    endpoint.asked.push(asked);
    await endpoint.reply(asked, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint: ModelEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked: [],
    reply,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return endpoint;
}
