/** Streams of deterministic randomness for plugins and interceptors that must not disturb the workflow's own. */
import { currentRun } from './current-run.js';
import { fillFrom, uuid4From } from './random.js';

/** A stream of deterministic randomness. */
export interface WorkflowRandomStream {
  /** The next number in [0, 1). */
  random(): number;
  /** A UUID, version 4; the same in replay. Not for secrets. */
  uuid4(): string;
  /** Fills the array, which is also the answer. */
  fill(bytes: Uint8Array): Uint8Array;
  /** Runs `fn` with `Math.random()` and `uuid4()` drawing from this stream. */
  with<T>(fn: () => T): T;
}

function streamOf(random: () => number): WorkflowRandomStream {
  const stream: WorkflowRandomStream = {
    random,
    uuid4: () => uuid4From(random),
    fill: (bytes) => fillFrom(random, bytes),
    with: (fn) => currentRun('WorkflowRandomStream.with()').random.with(stream, fn),
  };
  return stream;
}

/** The run's own stream, also where another one is current. */
export const workflowRandom: WorkflowRandomStream = streamOf(() => currentRun('workflowRandom').random.main());

/** The stream of that name; its state is kept with the run. */
export function getRandomStream(name: string): WorkflowRandomStream {
  const { random } = currentRun('getRandomStream()');
  return streamOf(() => random.named(name));
}
