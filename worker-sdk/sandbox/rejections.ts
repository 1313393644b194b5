/**
 * Promises of workflow code that are rejected and that nobody handles: they fail the workflow task. Node tells of them in one place for the whole
 * process, once the present macrotask is over; an AsyncLocalStorage says whose they are.
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

export interface RejectionOwner {
  unhandledRejection(error: unknown): void;
}

/** Whose code executes, as a token, which opens nothing for whoever finds it. */
const owners = new AsyncLocalStorage<object>();
const byToken = new WeakMap<object, RejectionOwner>();
/**
 * Where AsyncLocalStorage works by promise hooks (before Node 24), promises of workflow code have all stores of the moment as properties, those of
 * the program too: its code then executes in a resource of its own, begun outside of what the program keeps when it runs its worker. Later
 * versions keep stores where nobody finds them, and a resource would be one more thing that code which is cut off leaves behind.
 */
const outside = promisesCarryStores() ? new AsyncResource('perdure outside') : undefined;

function promisesCarryStores(): boolean {
  const probe = {};
  const promise = owners.run(probe, () => Promise.resolve() as unknown as Record<symbol, unknown>);
  return Object.getOwnPropertySymbols(promise).some((key) => promise[key] === probe);
}

const realms = new Set<(promise: unknown) => boolean>();
let listening = false;

/** Where the code of one run executes: rejections that come of it are its owner's. */
export class RunScope {
  readonly #token = Object.freeze(Object.create(null) as object);
  readonly #resource: AsyncResource | undefined;

  constructor(owner: RejectionOwner) {
    byToken.set(this.#token, owner);
    this.#resource = outside?.runInAsyncScope(() => owners.run(this.#token, () => new AsyncResource('perdure workflow')));
  }

  /** Rejections are another's from now on. */
  belongTo(owner: RejectionOwner): this {
    byToken.set(this.#token, owner);
    return this;
  }

  run<T>(fn: () => T): T {
    return this.#resource ? this.#resource.runInAsyncScope(fn) : owners.run(this.#token, fn);
  }
}

/** After code was cut off, the storage may still name it. */
export function resetOwner(): void {
  owners.enterWith(undefined as unknown as object);
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
    const token = owners.getStore();
    if (token) byToken.get(token)?.unhandledRejection(error);
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
