/** Deadline, metadata and abort signal that a caller sets for all calls made within a function. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Metadata } from './channel.js';

/** What applies to the calls of a scope. */
export interface CallContext {
  /** When calls end with DEADLINE_EXCEEDED: a Date, or milliseconds since the epoch. */
  deadline?: number | Date;
  /** Sent with each call, over the connection's own and that of scopes around. */
  metadata?: Metadata;
  /** When it aborts, calls end with CANCELLED. */
  abortSignal?: AbortSignal;
}

/**
 * The contexts of one connection. The storage is made when the first scope is entered: on Node 20 every promise of the
 * process becomes dearer once one is in use.
 */
export class CallContexts {
  private lazyStorage: AsyncLocalStorage<CallContext> | undefined;

  get storage(): AsyncLocalStorage<CallContext> {
    this.lazyStorage ??= new AsyncLocalStorage();
    return this.lazyStorage;
  }

  current(): CallContext | undefined {
    return this.lazyStorage?.getStore();
  }

  /** Runs `fn` with `context` over what already applies; metadata is merged. */
  run<R>(context: CallContext, fn: () => Promise<R>): Promise<R> {
    const outer = this.current();
    const metadata = outer?.metadata || context.metadata ? { ...outer?.metadata, ...context.metadata } : undefined;
    return this.storage.run({ ...outer, ...context, metadata }, fn);
  }
}
