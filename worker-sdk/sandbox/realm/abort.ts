/** Events and abort signals. */
import { define, state } from './state.js';
import { rename } from './text.js';

type Listener = ((event: WorkflowEvent) => void) | { handleEvent(event: WorkflowEvent): void };

class WorkflowEvent {
  readonly type: string;
  readonly cancelable: boolean;
  readonly timeStamp: number = 0;
  target: unknown = null;
  currentTarget: unknown = null;
  defaultPrevented = false;
  stopped = false;

  constructor(type: string, init: { cancelable?: boolean } = {}) {
    this.type = String(type);
    this.cancelable = Boolean(init.cancelable);
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    this.stopped = true;
  }
}

class WorkflowEventTarget {
  readonly #listeners = new Map<string, { listener: Listener; once: boolean }[]>();

  addEventListener(type: string, listener: Listener | null, options?: boolean | { once?: boolean; signal?: WorkflowAbortSignal }): void {
    if (!listener) return;
    const { once = false, signal } = typeof options === 'object' ? options : {};
    if (signal?.aborted) return;
    const list = this.#listeners.get(type) ?? [];
    if (!list.some((entry) => entry.listener === listener)) list.push({ listener, once });
    this.#listeners.set(type, list);
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener), { once: true });
  }

  removeEventListener(type: string, listener: Listener | null): void {
    const list = this.#listeners.get(type);
    if (list)
      this.#listeners.set(
        type,
        list.filter((entry) => entry.listener !== listener),
      );
  }

  dispatchEvent(event: WorkflowEvent): boolean {
    event.target = this;
    event.currentTarget = this;
    for (const { listener, once } of [...(this.#listeners.get(event.type) ?? [])]) {
      if (once) this.removeEventListener(event.type, listener);
      if (typeof listener === 'function') listener.call(this, event);
      else listener.handleEvent(event);
      if (event.stopped) break;
    }
    return !event.defaultPrevented;
  }
}

class AbortError extends Error {
  constructor(message: string, name: string) {
    super(message);
    Object.defineProperty(this, 'name', { value: name, configurable: true, writable: true });
  }
}

class WorkflowAbortSignal extends WorkflowEventTarget {
  aborted = false;
  reason: unknown = undefined;
  onabort: ((event: WorkflowEvent) => void) | null = null;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** Aborts the signal; what AbortController does. */
  static trip(signal: WorkflowAbortSignal, reason: unknown): void {
    if (signal.aborted) return;
    signal.aborted = true;
    signal.reason = reason === undefined ? new AbortError('This operation was aborted', 'AbortError') : reason;
    const event = new WorkflowEvent('abort');
    signal.onabort?.(event);
    signal.dispatchEvent(event);
  }

  static abort(reason?: unknown): WorkflowAbortSignal {
    const signal = new WorkflowAbortSignal();
    WorkflowAbortSignal.trip(signal, reason);
    return signal;
  }

  static any(signals: Iterable<WorkflowAbortSignal>): WorkflowAbortSignal {
    const joined = new WorkflowAbortSignal();
    for (const signal of signals) {
      if (signal.aborted) WorkflowAbortSignal.trip(joined, signal.reason);
      else signal.addEventListener('abort', () => WorkflowAbortSignal.trip(joined, signal.reason), { once: true });
    }
    return joined;
  }

  /** By a durable timer. */
  static timeout(ms: number): WorkflowAbortSignal {
    const signal = new WorkflowAbortSignal();
    state.hooks?.setTimeout(() => WorkflowAbortSignal.trip(signal, new AbortError('The operation timed out', 'TimeoutError')), ms);
    return signal;
  }
}

class WorkflowAbortController {
  readonly signal = new WorkflowAbortSignal();

  abort(reason?: unknown): void {
    WorkflowAbortSignal.trip(this.signal, reason);
  }
}

export function installEvents(): void {
  define('Event', rename(WorkflowEvent, 'Event'));
  define('EventTarget', rename(WorkflowEventTarget, 'EventTarget'));
  define('AbortSignal', rename(WorkflowAbortSignal, 'AbortSignal'));
  define('AbortController', rename(WorkflowAbortController, 'AbortController'));
}
