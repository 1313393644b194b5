/** Old ways to leave something behind for others that freezing does not close. */
import { state, violation } from './state.js';

/** The error for an attempt to change the global object itself. */
export function refusal(key: string | symbol): Error {
  return new TypeError(`Cannot change the global '${String(key)}': all workflows share it. A workflow may put things on globalThis.`);
}

export function installLegacyGuards(): void {
  guardGlobalPrototype();
  hideLastMatch();
}

/** The prototype of a context's global object can be replaced although its properties are guarded. */
function guardGlobalPrototype(): void {
  const refuse = (target: unknown): void => {
    if (target === globalThis && state.hooks?.inWorkflow()) throw refusal('__proto__');
  };
  const { setPrototypeOf } = Object;
  const ofReflect = Reflect.setPrototypeOf;
  const accessor = Object.getOwnPropertyDescriptor(Object.prototype, '__proto__')!;
  Object.defineProperty(Object, 'setPrototypeOf', {
    value: Object.defineProperty(
      (target: unknown, prototype: object | null): unknown => {
        refuse(target);
        return setPrototypeOf(target, prototype) as unknown;
      },
      'name',
      { value: 'setPrototypeOf' },
    ),
    writable: true,
    configurable: true,
  });
  Object.defineProperty(Reflect, 'setPrototypeOf', {
    value: Object.defineProperty(
      (target: object, prototype: object | null): boolean => {
        refuse(target);
        return ofReflect(target, prototype);
      },
      'name',
      { value: 'setPrototypeOf' },
    ),
    writable: true,
    configurable: true,
  });
  Object.defineProperty(Object.prototype, '__proto__', {
    ...accessor,
    set(this: unknown, prototype: unknown) {
      refuse(this);
      accessor.set!.call(this, prototype);
    },
  });
}

const LAST_MATCH = [
  'input',
  '$_',
  'lastMatch',
  '$&',
  'lastParen',
  '$+',
  'leftContext',
  '$`',
  'rightContext',
  "$'",
  '$1',
  '$2',
  '$3',
  '$4',
  '$5',
  '$6',
  '$7',
  '$8',
  '$9',
];

/** What the last regular expression of any workflow matched. */
function hideLastMatch(): void {
  for (const name of LAST_MATCH) {
    Object.defineProperty(RegExp, name, {
      get() {
        if (!state.hooks?.inWorkflow()) return '';
        throw violation(
          `RegExp.${name} is about the last match of any workflow of this worker: use the result of exec(), match() or replace().`,
        );
      },
      set: () => undefined,
      configurable: true,
    });
  }
}
