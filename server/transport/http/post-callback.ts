/** One HTTP call to a completion callback. It follows no redirect: that would lead past the list of allowed addresses. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { CallbackRequest } from '../../core/callback-request.js';
import type { CallbackResponse } from '../../core/callback-response.js';

/** Of an answer no more than this is read: it only has to say what went wrong. */
const ANSWER_MAX = 64 * 1024;

export function postCallback({ url, headers, body }: CallbackRequest, signal: AbortSignal): Promise<CallbackResponse> {
  const target = new URL(url);
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(signal.aborted ? (signal.reason as Error) : error);
    const sent = send(target, { method: 'POST', headers: { ...headers, 'content-length': body.length }, signal, agent: false }, (answer) => {
      read(answer).then((bytes) => {
        sent.destroy();
        resolve({ status: answer.statusCode ?? 0, statusText: answer.statusMessage ?? '', headers: single(answer), body: bytes });
      }, failed);
    });
    sent.on('error', failed);
    sent.end(body);
  });
}

async function read(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length >= ANSWER_MAX) break;
  }
  return Buffer.concat(chunks).subarray(0, ANSWER_MAX);
}

const single = ({ headers }: IncomingMessage): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));
