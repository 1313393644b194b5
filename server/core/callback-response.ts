/** What the answer to a completion callback means: it got through, it is refused for good, or it is to be tried again. */
import type { CallOutcome } from './kinds/callback.js';

export interface CallbackResponse {
  readonly status: number;
  /** The status line's own words. */
  readonly statusText: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** Kinds of refusal by HTTP status, as Nexus names them. A status that is not here says nothing for sure: the call is tried again. */
const KINDS: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  408: 'REQUEST_TIMEOUT',
  409: 'CONFLICT',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'NOT_IMPLEMENTED',
  503: 'UNAVAILABLE',
  520: 'UPSTREAM_TIMEOUT',
};

/** Refusals that the same request would only meet again. */
const FINAL = new Set(['BAD_REQUEST', 'UNAUTHENTICATED', 'UNAUTHORIZED', 'NOT_FOUND', 'NOT_IMPLEMENTED', 'CONFLICT']);

const TEXT_MAX = 1_000;

/** A failure as the other side may send it. */
interface Told {
  message?: unknown;
  metadata?: { type?: unknown } | null;
  details?: { type?: unknown; retryableOverride?: unknown } | null;
}

export function judgeResponse(response: CallbackResponse): CallOutcome {
  if (response.status >= 200 && response.status < 300) return { got: 'through' };
  const told = failureIn(response);
  const message = typeof told?.message === 'string' && told.message ? `: ${told.message.slice(0, TEXT_MAX)}` : '';
  const own = told?.metadata?.type === 'nexus.HandlerError' && typeof told.details?.type === 'string' ? told.details : undefined;
  const kind = own ? String(own.type) : KINDS[response.status];
  if (!kind)
    return { got: 'nowhere', why: `unexpected response status: "${`${response.status} ${response.statusText}`.trim()}"${message}` };
  const said = own ? own.retryableOverride : response.headers['nexus-request-retryable']?.toLowerCase();
  const final = said === false || said === 'false' || (said !== true && said !== 'true' && FINAL.has(kind));
  return { got: final ? 'refused' : 'nowhere', why: `handler error (${kind})${message}` };
}

function failureIn({ headers, body }: CallbackResponse): Told | undefined {
  if (headers['content-type']?.split(';')[0]?.trim().toLowerCase() !== 'application/json') return undefined;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(body));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Told) : undefined;
  } catch {
    return undefined;
  }
}
