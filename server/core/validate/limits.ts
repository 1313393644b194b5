/** The limits that requests and commands are held against. Sizes and lengths in bytes. */
import type { AddressRule } from '../callback-addresses.js';

/** What validation needs of the engine's limits. */
export interface ValidationLimits {
  /** Ids, names and identities. */
  readonly idLengthMax: number;
  /** One event's payloads: an input, a result, details. */
  readonly payloadSizeMax: number;
  readonly memoSizeMax: number;
}

/** What completion callbacks are held against. */
export interface CallbackLimits {
  readonly callbacksPerRunMax: number;
  readonly callbackUrlLengthMax: number;
  readonly callbackHeaderSizeMax: number;
  readonly callbackAddresses: readonly AddressRule[];
}

export const SEARCH_ATTRIBUTE_KEYS_MAX = 100;
export const SEARCH_ATTRIBUTE_VALUE_MAX = 2 * 1024;
export const SEARCH_ATTRIBUTES_SIZE_MAX = 40 * 1024;

export const LINKS_PER_REQUEST_MAX = 10;
export const LINK_SIZE_MAX = 4000;

export const FAIRNESS_KEY_LENGTH_MAX = 64;
export const BUILD_ID_LENGTH_MAX = 255;

/** A long poll whose caller waits less than this is refused: it would end before it could begin. */
export const LONG_POLL_MIN_MS = 2_000;
