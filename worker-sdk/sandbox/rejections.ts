/**
 * Promises of workflow code that are rejected and that nobody handles: they fail the workflow task. Node tells of them in one place for the whole
 * process, once the present macrotask is over; an AsyncLocalStorage says whose they are.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface RejectionOwner {
  unhandledRejection(error: unknown): void;
}

const owners = new AsyncLocalStorage<RejectionOwner>();
const realms = new Set<(promise: unknown) => boolean>();
let listening = false;

/** Runs workflow code; rejections that come of it are its owner's. */
export function ownRejections<T>(owner: RejectionOwner, fn: () => T): T {
  return owners.run(owner, fn);
}

/** After code was cut off, the storage may still name it. */
export function resetOwner(): void {
  owners.enterWith(undefined as unknown as RejectionOwner);
}

/** Listens for rejections of promises that are of this realm. Returns how to stop. */
export function watchRealm(isOwnPromise: (promise: unknown) => boolean): () => void {
  realms.add(isOwnPromise);
  if (!listening) {
    listening = true;
    process.on('unhandledRejection', onUnhandled);
  }
  return () => {
    realms.delete(isOwnPromise);
    if (realms.size > 0) return;
    listening = false;
    process.off('unhandledRejection', onUnhandled);
  };
}

function onUnhandled(error: unknown, promise: unknown): void {
  for (const isOwn of realms) {
    if (!isOwn(promise)) continue;
    owners.getStore()?.unhandledRejection(error);
    return;
  }
  // Not ours. With a listener Node leaves out what it would do without one: end the process.
  if (process.listenerCount('unhandledRejection') === 1) throw error;
}

let turn: Promise<void> | undefined;

/** Resolves once Node has told of the rejections of what ran until now. Shared by all who wait at the same time. */
export function rejectionsTold(): Promise<void> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  });
  return turn;
}
