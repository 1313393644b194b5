// biome-ignore-all lint/suspicious/noExplicitAny: interceptor methods of every signature pass through here.
/** How interceptors are chained: each gets the input and the next one, the last is the SDK itself. */
import type { Payload } from './api.js';

type AnyFunc = (...args: any[]) => any;
type OmitLast<T> = T extends [...infer Rest, any] ? Rest : never;
/** A type of its own, so that classes may name their interface as `IF` where the interface says `this`. */
type OmitLastParam<F extends AnyFunc> = (...args: OmitLast<Parameters<F>>) => ReturnType<F>;

/** The type of the `next` that method `FN` of interceptor `IF` is given. */
export type Next<IF, FN extends keyof IF> = Required<IF>[FN] extends AnyFunc ? OmitLastParam<Required<IF>[FN]> : never;

/** Headers that travel with workflows, signals, activities …: payloads by name. */
export type Headers = Record<string, Payload>;

/** Wraps `next` in the `method` of each interceptor that has it; the first interceptor is the outermost. */
export function composeInterceptors<I, M extends keyof I>(interceptors: I[], method: M, next: Next<I, M>): Next<I, M> {
  for (let i = interceptors.length - 1; i >= 0; i--) {
    const interceptor = interceptors[i]!;
    const implementation = interceptor[method] as AnyFunc | undefined;
    if (implementation === undefined) continue;
    const inner = next;
    const wrapped: AnyFunc = (input: unknown) => implementation.call(interceptor, input, inner);
    next = wrapped as Next<I, M>;
  }
  return next;
}
