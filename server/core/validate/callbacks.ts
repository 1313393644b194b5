/** Completion callbacks: where to tell that a run has ended. */
import type { temporal } from '../api.js';
import { unimplemented } from '../errors.js';
import { CALLBACK_HEADER_SIZE_MAX, CALLBACK_URL_LENGTH_MAX, CALLBACKS_PER_RUN_MAX } from './limits.js';
import { linksProblem } from './links.js';
import { type Problem, refuse } from './problem.js';
import { exceeds, utf8Length } from './text-length.js';

type Callback = temporal.api.common.v1.ICallback;

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

function urlProblem(url: string): Problem {
  if (exceeds(url, CALLBACK_URL_LENGTH_MAX)) return `invalid url: url length longer than max length allowed of ${CALLBACK_URL_LENGTH_MAX}`;
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return `invalid url: unknown scheme: ${url}`;
  return /^https?:\/\/[^/?#]/i.test(url) ? undefined : `invalid url: missing host: ${url}`;
}

function headerProblem(header: { [key: string]: string } | null | undefined): Problem {
  const size = Object.entries(header ?? {}).reduce((sum, [key, value]) => sum + utf8Length(key) + utf8Length(value), 0);
  return size > CALLBACK_HEADER_SIZE_MAX
    ? `invalid header: header size longer than max allowed size of ${CALLBACK_HEADER_SIZE_MAX}`
    : undefined;
}

/** Refuses callbacks that nobody could call, and links of theirs that are incomplete. */
export function requireCallbacks(
  callbacks: readonly Callback[] | null | undefined,
  links: readonly temporal.api.common.v1.ILink[] | null | undefined,
): void {
  const list = callbacks ?? [];
  if (list.length > CALLBACKS_PER_RUN_MAX) refuse(`cannot attach more than ${CALLBACKS_PER_RUN_MAX} callbacks to an execution`);
  for (const { nexus, internal } of list) {
    if (nexus) refuse(urlProblem(nexus.url ?? '') ?? headerProblem(nexus.header));
    else if (!internal) throw unimplemented('A completion callback has no variant that this server knows.');
  }
  refuse(linksProblem([...(links ?? []), ...list.flatMap((callback) => callback.links ?? [])]));
}
