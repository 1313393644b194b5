/** Builds the realm in which all workflow code of a worker runs. Evaluated inside of it, before anything else. */
import type { RealmHooks } from '../../workflow/runtime.js';
import { installEvents } from './abort.js';
import { installAsyncLocalStorage } from './async-local-storage.js';
import { installTime } from './date.js';
import { forbiddenModule, installForbidden } from './forbidden.js';
import { Freezer, hiddenIntrinsics } from './freeze.js';
import type { RealmHost } from './host.js';
import { installLegacyGuards, refusal } from './legacy.js';
import { installStackTraces, resetStackTraceLimit } from './stack.js';
import { state } from './state.js';
import { installStructuredClone } from './structured-clone.js';
import { installText } from './text.js';
import { installConsole, installTimersAndRandom } from './timers-and-random.js';
import { installUrl } from './url.js';

export interface Realm {
  /** Values of the globals with these names. */
  globals(names: readonly string[]): unknown[];
  forbiddenModule(name: string): unknown;
  setHooks(hooks: RealmHooks): void;
  /** A CommonJS module as `import` sees it. In node mode a default import is all of it. */
  interop(module: unknown, nodeMode: boolean): object;
  /** Freezes the realm and the SDK's own modules. */
  freeze(sdk: unknown[]): void;
  /** The global object as one run sees it: what it adds is its own. */
  newGlobal(): object;
  /** After code of a run: takes back the one change that cannot be refused. */
  tidyUp(): void;
  /** The error for an attempt to change the global object itself. */
  refusal(key: string | symbol): Error;
  isOwnPromise(value: unknown): boolean;
  /** A function of the outside as one of the realm: by its constructor it would lead there. */
  lend<A, R>(fn: (argument: A) => R): (argument: A) => R;
  /** `require` for bundled code. There are no files here to be found: a name resolves to itself. */
  makeRequire(load: (specifier: string) => unknown): (specifier: string) => unknown;
}

function interop(module: unknown, nodeMode: boolean): object {
  const exported =
    (typeof module === 'object' || typeof module === 'function') && module !== null ? (module as Record<string, unknown>) : {};
  const namespace: Record<string, unknown> = {};
  for (const key of Object.getOwnPropertyNames(exported)) {
    if (key === 'default' || key === '__esModule') continue;
    if (typeof module === 'function' && (key === 'length' || key === 'name' || key === 'prototype')) continue;
    namespace[key] = exported[key];
  }
  const isEsm = exported.__esModule === true;
  namespace.default = isEsm && !nodeMode ? exported.default : module;
  return namespace;
}

/** Whether a run's global object can inherit from the shared one: in Bun, what is put on the heir is put on the ancestor too. */
function inheritsFromGlobal(shared: Record<symbol, unknown>): boolean {
  const mark = Symbol('heir');
  const heir = Object.create(shared) as Record<symbol, unknown>;
  heir[mark] = true;
  return !Object.hasOwn(shared, mark);
}

function copyOf(shared: object): object {
  const copy: object = {};
  for (const key of Reflect.ownKeys(shared)) {
    Object.defineProperty(copy, key, { value: Reflect.get(shared, key) as unknown, writable: true, configurable: true, enumerable: false });
  }
  return copy;
}

export function installRealm(host: RealmHost): Realm {
  state.host = host;
  installStackTraces();
  installAsyncLocalStorage();
  installText();
  installUrl();
  installEvents();
  installStructuredClone();
  installTime();
  installTimersAndRandom();
  installConsole();
  installForbidden();
  installLegacyGuards();
  const shared = globalThis as Record<string, unknown>;
  // What libraries put on the global object later is theirs, and stays as it is.
  const own = Reflect.ownKeys(globalThis).map((key) => Object.getOwnPropertyDescriptor(globalThis, key)?.value as unknown);
  return {
    globals: (names) => names.map((name) => shared[name]),
    forbiddenModule,
    setHooks: (hooks) => {
      state.hooks = hooks;
    },
    interop,
    freeze: (sdk) => {
      const parent = Object.getPrototypeOf(globalThis) as unknown;
      new Freezer().freeze([...own.filter((value) => value !== globalThis), parent, ...hiddenIntrinsics(), ...sdk]);
    },
    tidyUp: resetStackTraceLimit,
    newGlobal: inheritsFromGlobal(globalThis as Record<symbol, unknown>) ? () => Object.create(shared) as object : () => copyOf(shared),
    refusal,
    lend: (fn) => (argument) => fn(argument),
    makeRequire: (load) => Object.assign((specifier: string) => load(specifier), { resolve: (specifier: string) => specifier }),
    isOwnPromise: (value) => value instanceof Promise,
  };
}
