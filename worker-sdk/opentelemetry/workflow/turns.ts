/**
 * Runs that began under the field's own interceptors: those put a chain of async functions around each call, so that what it waits for comes some turns
 * of the microtask queue later. Such runs keep that order here, since what they do next may depend on it. Others have nothing of it.
 */
import { currentRun } from '../../workflow/current-run.js';

/** The flag of the field's SDK that histories carry when its interceptors traced them, since its release 1.13.2. */
const TRACED_THERE = 5;
/** Async functions around a call there. */
const LAYERS = 4;

/** Whether the current run was begun under the field's interceptors. */
export function wasTracedThere(): boolean {
  return currentRun().knownFlags.has(TRACED_THERE);
}

/** A promise that settles as late as that of the field's interceptor for what reaches a workflow. */
export function inboundTurns<T>(call: Promise<T>, hasContext: boolean): Promise<T> {
  return layered(call, hasContext ? LAYERS + 1 : LAYERS);
}

/** A promise that settles as late as that of the field's interceptor for what a workflow asks for. */
export function outboundTurns<T>(call: Promise<T>): Promise<T> {
  // Handed on by an async function, which is not the same as awaited there.
  const handedOn = async () => call;
  return layered(handedOn(), LAYERS);
}

function layered<T>(call: Promise<T>, layers: number): Promise<T> {
  let outer = call;
  for (let i = 0; i < layers; i++) {
    const inner = outer;
    outer = (async () => await inner)();
  }
  return outer;
}
