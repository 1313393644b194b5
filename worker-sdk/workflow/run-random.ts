/** The randomness of one run: the default stream, named ones beside it, and which of them is current. */
import { AsyncLocalStorage } from './async-local-storage.js';
import { alea, type Random } from './random.js';

type Source = { random(): number };
// biome-ignore lint/suspicious/noExplicitAny: functions of every signature pass through.
type AnyFunction = (...args: any[]) => any;

const overrides = new AsyncLocalStorage<Source | undefined>();
/** Whether any code ever chose another stream: until then nobody pays for looking. */
let used = false;

const STREAM_PREFIX = [...'temporal-workflow-random-stream-v1'].map((char) => char.charCodeAt(0));
const lengthBytes = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];

export class RunRandom {
  #seed: readonly number[] | undefined;
  #seedOf: () => readonly number[];
  #main: Random | undefined;
  readonly #named = new Map<string, Random>();

  constructor(seed: () => readonly number[]) {
    this.#seedOf = seed;
  }

  /** After a reset. */
  reseed(seed: readonly number[]): void {
    this.#seedOf = () => seed;
    this.#seed = undefined;
    this.#main = undefined;
    this.#named.clear();
  }

  /** The next number of the run's own stream. */
  readonly main: Random = () => {
    this.#main ??= alea(this.#seedBytes());
    return this.#main();
  };

  /** The next number of a named stream, which draws nothing from the run's own. */
  named(name: string): number {
    let random = this.#named.get(name);
    if (!random) {
      const seed = this.#seedBytes();
      const bytes = [...new TextEncoder().encode(name)];
      random = alea([...STREAM_PREFIX, ...lengthBytes(seed.length), ...seed, ...lengthBytes(bytes.length), ...bytes]);
      this.#named.set(name, random);
    }
    return random();
  }

  /** What `Math.random()` draws from. */
  readonly current: Random = () => (used ? (overrides.getStore()?.random() ?? this.main()) : this.main());

  /** Runs `fn` with another stream as the current one. */
  with<T>(source: Source | undefined, fn: () => T): T {
    used = true;
    return overrides.run(source, fn);
  }

  /** `fn` with the stream that is current now, whenever it is called. */
  bind<F extends AnyFunction>(fn: F): F {
    const source = used ? overrides.getStore() : undefined;
    return ((...args) => (used ? overrides.run(source, () => fn(...args)) : fn(...args))) as F;
  }

  #seedBytes(): readonly number[] {
    this.#seed ??= this.#seedOf();
    return this.#seed;
  }
}
