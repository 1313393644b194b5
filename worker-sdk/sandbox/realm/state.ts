/** What the globals of the realm share: the host's functions, and the hooks that the workflow runtime sets once it is loaded. */
import type { RealmHooks } from '../../workflow/runtime.js';
import type { RealmHost } from './host.js';

interface RealmState {
  host: RealmHost;
  /** Absent while libraries are loaded. */
  hooks: RealmHooks | undefined;
}

export const state: RealmState = { host: undefined as unknown as RealmHost, hooks: undefined };

/** An error for what cannot be repeated in replay. */
export function violation(message: string): Error {
  return state.hooks?.violation(message) ?? new Error(message);
}

/** Puts a global in place. */
export function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
