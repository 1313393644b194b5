/** Signals on their way to their handlers; those without one wait until it is set. */
import { IllegalStateError } from '../definitions/errors.js';
import { arrayFromPayloads } from '../payload/payload-converter.js';
import type { Job } from '../replay/protocol.js';
import { inboundEventGroup } from './event-groups.js';
import type { SignalInput } from './interceptors.js';
import { APPROVAL_SIGNAL, isReserved, refuseForDefaultHandler } from './reserved.js';
import type { RunContext } from './run-context.js';

type SignalJob = NonNullable<Job['signalWorkflow']>;

export function receiveSignal(run: RunContext, job: SignalJob): void {
  const name = job.signalName!;
  const handler = run.signalHandlers.get(name);
  refuseForDefaultHandler('signal', name, handler !== undefined, run.defaultSignalHandler !== undefined);
  if (!isDeliverable(run, name)) {
    run.bufferedSignals.push(job);
    return;
  }
  const execution = run.signalExecutions++;
  run.signalsInProgress.set(execution, { name, unfinishedPolicy: handler?.unfinishedPolicy ?? 'WARN_AND_ABANDON' });
  const execute = run.intercept(isReserved(name) ? [] : run.inbound, 'handleSignal', (input: SignalInput) => runUserHandler(run, input));
  const args = arrayFromPayloads(run.payloadConverter, job.input, run.context, handler?.typeInfo?.inputTypes);
  inboundEventGroup(job.originatingEventId)
    .withScope(() => execute({ args, signalName: name, headers: job.headers ?? {} }))
    .catch((error) => run.handleFailure(error))
    .finally(() => run.signalsInProgress.delete(execution));
}

async function runUserHandler(run: RunContext, { signalName, args }: SignalInput): Promise<void> {
  const handler = run.signalHandlers.get(signalName)?.handler;
  if (handler) return await handler(...args);
  if (run.defaultSignalHandler) return await run.defaultSignalHandler(signalName, ...args);
  throw new IllegalStateError(`No handler is registered for signal '${signalName}'`);
}

/** The decision about an approval waits for its request, which has a handler of its own, and is not for the default handler. */
function isDeliverable(run: RunContext, name: string): boolean {
  return run.signalHandlers.has(name) || (run.defaultSignalHandler !== undefined && name !== APPROVAL_SIGNAL);
}

/** Hands out waiting signals that have a handler now, in the order of their arrival. */
export function dispatchBufferedSignals(run: RunContext): void {
  while (run.bufferedSignals.length > 0) {
    const index = run.bufferedSignals.findIndex(({ signalName }) => isDeliverable(run, signalName!));
    if (index < 0) return;
    receiveSignal(run, run.bufferedSignals.splice(index, 1)[0]!);
  }
}
