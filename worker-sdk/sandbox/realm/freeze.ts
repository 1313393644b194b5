/**
 * Freezes what all runs share: the intrinsics of the realm, its globals, and the SDK's modules. What one run does to them, no other may see.
 * Libraries cannot be frozen: many build their classes when they are first used, and bind methods by assigning them.
 *
 * Freezing has a trap: an object cannot be given a property by assignment when an object that it inherits from has it frozen
 * (`this.name = …` in a class of errors). Where that is common, the inherited property becomes an accessor that lets itself be overridden.
 */

type Key = string | symbol;

/** Properties of shared prototypes that people override by assignment. */
const OVERRIDABLE: readonly Key[] = [
  'name',
  'message',
  'toString',
  'valueOf',
  'toJSON',
  'constructor',
  'toLocaleString',
  'hasOwnProperty',
  'cause',
  'code',
];
/** Those that must stay data properties, because the engine has fast paths for objects that have them untouched. */
const isPromisePrototype = (target: object): boolean => target === Promise.prototype;

export class Freezer {
  readonly #done = new WeakSet<object>();
  /** Left alone: bytes cannot be frozen, and the counter of stack frames is everybody's. */
  readonly #skip = new Set<object>([Error]);

  /** Freezes everything that can be reached from the roots. */
  freeze(roots: Iterable<unknown>): void {
    const queue: unknown[] = [...roots];
    while (queue.length > 0) {
      const target = queue.pop();
      if ((typeof target !== 'object' && typeof target !== 'function') || target === null || this.#done.has(target)) continue;
      this.#done.add(target);
      this.#freezeOne(target, queue);
    }
  }

  #freezeOne(target: object, queue: unknown[]): void {
    let keys: Key[];
    try {
      keys = Reflect.ownKeys(target);
      queue.push(Object.getPrototypeOf(target));
    } catch {
      return;
    }
    const isPrototype = isPrototypeObject(target);
    for (const key of keys) {
      const descriptor = Object.getOwnPropertyDescriptor(target, key);
      if (!descriptor) continue;
      queue.push(descriptor.value, descriptor.get, descriptor.set);
      if (isPrototype && !isPromisePrototype(target) && OVERRIDABLE.includes(key)) letOverride(target, key, descriptor);
    }
    if (ArrayBuffer.isView(target)) return;
    if (this.#skip.has(target)) freezeAllBut(target, 'stackTraceLimit');
    else Object.freeze(target);
  }
}

function isPrototypeObject(target: object): boolean {
  const maker = Object.getOwnPropertyDescriptor(target, 'constructor')?.value as { prototype?: unknown } | undefined;
  return typeof maker === 'function' && maker.prototype === target;
}

/** Turns a data property into an accessor whose assignment defines the property on the heir. */
function letOverride(holder: object, key: Key, { value, writable, configurable, enumerable }: PropertyDescriptor): void {
  if (!writable || !configurable) return;
  const accessor = {
    get: () => value as unknown,
    set(this: object, replacement: unknown) {
      if (this === holder) throw new TypeError(`Cannot assign to '${String(key)}': it is shared by all workflows and frozen`);
      Object.defineProperty(this, key, { value: replacement, configurable: true, enumerable: true, writable: true });
    },
  };
  Object.defineProperty(holder, key, {
    configurable: true,
    enumerable,
    get: Object.freeze(accessor.get),
    set: Object.freeze(accessor.set),
  });
}

function freezeAllBut(target: object, except: string): void {
  for (const key of Reflect.ownKeys(target)) {
    if (key === except) continue;
    const descriptor = Object.getOwnPropertyDescriptor(target, key)!;
    if (!descriptor.configurable) continue;
    Object.defineProperty(target, key, 'value' in descriptor ? { writable: false, configurable: false } : { configurable: false });
  }
  Object.preventExtensions(target);
}

/** Intrinsics that no global leads to. */
export function hiddenIntrinsics(): unknown[] {
  const asyncFunction = async () => undefined;
  function* generator(): Generator {}
  async function* asyncGenerator(): AsyncGenerator {}
  const iterators = [
    [][Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    ''[Symbol.iterator](),
    'a'.matchAll(/a/g),
  ];
  // Newer runtimes have it on each error, by functions that all errors share.
  const stack = Object.getOwnPropertyDescriptor(new Error(), 'stack');
  return [
    stack?.get,
    stack?.set,
    Object.getPrototypeOf(asyncFunction),
    Object.getPrototypeOf(generator),
    Object.getPrototypeOf(asyncGenerator),
    Object.getPrototypeOf(Object.getPrototypeOf(generator.prototype as object)),
    Object.getPrototypeOf(Object.getPrototypeOf(asyncGenerator.prototype as object)),
    Object.getPrototypeOf(Uint8Array),
    ...iterators.map((iterator) => Object.getPrototypeOf(iterator) as unknown),
  ];
}
