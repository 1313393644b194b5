/** What must not be used in workflow code: it fails with a message that names the fix. While libraries load, it seems not to be there. */
import { define, state, violation } from './state.js';

const WHY = 'it would not give the same in replay';

const FUNCTIONS: Record<string, string> = {
  fetch: 'fetch() reaches the network, and a workflow must not: call it in an activity.',
  setImmediate: 'setImmediate() is not there: use sleep() or setTimeout(), whose timers are durable.',
  clearImmediate: 'clearImmediate() is not there: use clearTimeout().',
  setInterval: 'setInterval() is not there: loop over sleep(), and continue as new before the history gets long.',
  clearInterval: 'clearInterval() is not there: end the loop that sleeps.',
  requestAnimationFrame: 'requestAnimationFrame() is not there: use sleep().',
  WeakRef: 'WeakRef shows when memory is collected, and that differs from execution to replay: hold the value itself.',
  FinalizationRegistry: 'FinalizationRegistry shows when memory is collected, and that differs from execution to replay: clean up in a finally block.',
  XMLHttpRequest: 'XMLHttpRequest reaches the network, and a workflow must not: call it in an activity.',
  WebSocket: 'WebSocket reaches the network, and a workflow must not: use it in an activity.',
};

/** Removed without a word: libraries look whether they are there. */
const ABSENT = ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'gc'];

const PROCESS_FIX: Record<string, string> = {
  hrtime: 'use Date.now(), which shows the workflow’s clock',
  uptime: 'use workflowInfo().runStartTime',
  cwd: 'pass paths as arguments, or use them in an activity',
  exit: 'throw an ApplicationFailure to fail the workflow',
  memoryUsage: 'measure in the worker',
  argv: 'pass it to the workflow as an argument',
};

export function installForbidden(): void {
  for (const [name, message] of Object.entries(FUNCTIONS)) {
    const stub = (): never => {
      throw violation(message);
    };
    // Classes must be constructible to give the message rather than "not a constructor".
    define(name, /^[A-Z]/.test(name) ? forbiddenClass(name, message) : Object.defineProperty(stub, 'name', { value: name }));
  }
  for (const name of ABSENT) delete (globalThis as Record<string, unknown>)[name];
  define('process', processStandIn());
}

function forbiddenClass(name: string, message: string): unknown {
  function Forbidden(): never {
    throw violation(message);
  }
  return Object.defineProperty(Forbidden, 'name', { value: name });
}

/** `process` for libraries that look for it: no version, no platform, an environment that only they may ask for. */
function processStandIn(): object {
  const env = new Proxy(Object.freeze({}), {
    get(_target, name) {
      if (typeof name === 'symbol') return undefined;
      if (name === 'NODE_ENV') return 'production';
      if (!state.hooks?.inWorkflow()) return undefined;
      throw violation(`process.env.${name} may differ from worker to worker: read it in an activity, or pass it to the workflow as an argument.`);
    },
    has: (_target, name) => name === 'NODE_ENV',
  });
  const known: Record<string, unknown> = {
    env,
    browser: true,
    version: undefined,
    versions: undefined,
    platform: undefined,
    nextTick: (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
      Promise.resolve().then(() => callback(...args));
    },
    emitWarning: () => undefined,
  };
  return new Proxy(Object.freeze({}), {
    get(_target, name) {
      if (typeof name === 'symbol' || name === 'then' || name === 'toJSON') return undefined;
      if (name in known) return known[name];
      if (!state.hooks?.inWorkflow()) return undefined;
      throw violation(`process.${name} cannot be used in workflow code, because ${WHY}: ${PROCESS_FIX[name] ?? 'use it in an activity'}.`);
    },
    has: (_target, name) => name in known,
  });
}

/** Stands for a module of Node that must not be used in workflow code; throws when any part of it is. */
export function forbiddenModule(name: string): unknown {
  const fail = (part: string): never => {
    throw violation(
      `${part} cannot be used in workflow code, because ${WHY}. Use it in an activity. If workflow code imports the module only by accident ` +
        `(a file that holds activities, a barrel of exports), import types with "import type" or split the file.`,
    );
  };
  const module: object = new Proxy(function forbidden() {}, {
    get(_target, key) {
      if (typeof key === 'symbol' || key === '__esModule' || key === 'then' || key === 'prototype') return undefined;
      if (key === 'default') return forbiddenModule(name);
      return forbiddenMember(name, key, fail);
    },
    // Bundled code copies what a module has into an object with the module's prototype: in this way it finds every name there as well.
    getPrototypeOf: () => module,
    apply: () => fail(`The module '${name}'`),
    construct: () => fail(`The module '${name}'`),
  });
  return module;
}

/** Taking a function out of the module is harmless (libraries do that while they load); calling it is not. */
function forbiddenMember(module: string, key: string, fail: (part: string) => never): unknown {
  const part = `'${key}' of the module '${module}'`;
  return new Proxy(class Forbidden {}, {
    get(target, inner) {
      if (typeof inner === 'symbol' || inner === 'prototype' || inner === 'then') return Reflect.get(target, inner);
      if (!state.hooks?.inWorkflow()) return forbiddenMember(module, `${key}.${inner}`, fail);
      return fail(part);
    },
    apply: () => fail(part),
    construct: () => fail(part),
  });
}
