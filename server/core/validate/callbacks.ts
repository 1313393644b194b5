/** Completion callbacks: where to tell that a run has ended. */
import type { temporal } from '../api.js';
import { addressProblem } from '../callback-addresses.js';
import { unimplemented } from '../errors.js';
import type { CallbackLimits } from './limits.js';
import { linksProblem } from './links.js';
import { type Problem, refuse } from './problem.js';
import { exceeds, utf8Length } from './text-length.js';

type Callback = temporal.api.common.v1.ICallback;
type Header = { [key: string]: string };

function urlProblem(url: string, { callbackUrlLengthMax: max, callbackAddresses }: CallbackLimits): Problem {
  return exceeds(url, max) ? `invalid url: url length longer than max length allowed of ${max}` : addressProblem(callbackAddresses, url);
}

function headerProblem(header: Header | null | undefined, max: number): Problem {
  const size = Object.entries(header ?? {}).reduce((sum, [key, value]) => sum + utf8Length(key) + utf8Length(value), 0);
  return size > max ? `invalid header: header size longer than max allowed size of ${max}` : undefined;
}

/** Names of headers mean the same in capitals: they are kept in lower case, in the request itself, so that every later reader finds them so. */
function lowerNames(callback: temporal.api.common.v1.Callback.INexus): void {
  if (callback.header)
    callback.header = Object.fromEntries(Object.entries(callback.header).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Refuses callbacks that nobody could or may call, and links of theirs that are incomplete. */
export function requireCallbacks(
  callbacks: readonly Callback[] | null | undefined,
  links: readonly temporal.api.common.v1.ILink[] | null | undefined,
  limits: CallbackLimits,
): void {
  const list = callbacks ?? [];
  if (list.length > limits.callbacksPerRunMax) refuse(`cannot attach more than ${limits.callbacksPerRunMax} callbacks to an execution`);
  for (const { nexus, internal } of list) {
    if (nexus) {
      refuse(urlProblem(nexus.url ?? '', limits) ?? headerProblem(nexus.header, limits.callbackHeaderSizeMax));
      lowerNames(nexus);
    } else if (internal) {
      refuse('unsupported callback variant: internal');
    } else {
      throw unimplemented('A completion callback has no variant that this server knows.');
    }
  }
  refuse(linksProblem([...(links ?? []), ...list.flatMap((callback) => callback.links ?? [])]));
}
