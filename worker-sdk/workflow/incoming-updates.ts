/** Updates on their way: validated, accepted or rejected, handled, answered. Without a handler at the end of the activation: rejected. */
import { ApplicationFailure, ensureTemporalFailure, TemporalFailure } from '../payload/failure.js';
import { arrayFromPayloads, toPayloadWithTypeInfo } from '../payload/payload-converter.js';
import type { WorkflowUpdateAnnotatedType } from '../definitions/workflow.js';
import type { Job } from '../replay/protocol.js';
import { inboundUpdateGroup } from './event-groups.js';
import type { UpdateInput } from './interceptors.js';
import { isReserved, refuseForDefaultHandler } from './reserved.js';
import type { RunContext } from './run-context.js';
import { runInUpdate } from './update-scope.js';

type UpdateJob = NonNullable<Job['doUpdate']>;

export function receiveUpdate(run: RunContext, job: UpdateJob): void {
  const name = job.name!;
  const own = run.updateHandlers.get(name);
  refuseForDefaultHandler('update', name, own !== undefined, run.defaultUpdateHandler !== undefined);
  const fallback = run.defaultUpdateHandler;
  const entry: WorkflowUpdateAnnotatedType | undefined =
    own ?? (fallback && { handler: (...args: unknown[]) => fallback(name, ...args), unfinishedPolicy: 'WARN_AND_ABANDON' });
  if (!entry) {
    run.bufferedUpdates.push(job);
    return;
  }
  // Not awaited: an error that is no failure is an unhandled rejection on purpose, and fails the task.
  void runInUpdate({ id: job.id!, name }, () => handleUpdate(run, job, entry));
}

async function handleUpdate(run: RunContext, job: UpdateJob, entry: WorkflowUpdateAnnotatedType): Promise<void> {
  const name = job.name!;
  const protocolInstanceId = job.protocolInstanceId!;
  const interceptors = isReserved(name) ? [] : run.inbound;
  // Made anew for the handler: it must not see what the validator did to its arguments.
  const makeInput = (): UpdateInput => ({
    updateId: job.id!,
    name,
    args: arrayFromPayloads(run.payloadConverter, job.input, run.context, entry.typeInfo?.inputTypes),
    headers: job.headers ?? {},
  });
  let input: UpdateInput;
  try {
    const { validator } = entry;
    if (job.runValidator && validator) {
      const validate = run.intercept(interceptors, 'validateUpdate', ({ args }: UpdateInput) => validator(...args));
      asLive(run, () => validate(makeInput()));
    }
    input = makeInput();
  } catch (error) {
    rejectUpdate(run, protocolInstanceId, error);
    return;
  }
  run.push({ updateResponse: { protocolInstanceId, accepted: {} } });
  const execute = run.intercept(interceptors, 'handleUpdate', ({ args }: UpdateInput) => runUserHandler(entry, args));
  run.updatesInProgress.set(job.id!, { name, unfinishedPolicy: entry.unfinishedPolicy, id: job.id! });
  return inboundUpdateGroup(job.id!)
    .withScope(() => execute(input))
    .then((result) => {
      const completed = toPayloadWithTypeInfo(run.payloadConverter, result, run.context, entry.typeInfo?.outputType);
      run.push({ updateResponse: { protocolInstanceId, completed } });
    })
    .catch((error) => {
      if (error instanceof TemporalFailure) rejectUpdate(run, protocolInstanceId, error);
      else run.handleFailure(error);
    })
    .finally(() => run.updatesInProgress.delete(job.id!));
}

async function runUserHandler(entry: WorkflowUpdateAnnotatedType, args: unknown[]): Promise<unknown> {
  const { handler } = entry;
  return await handler(...args);
}

/** Runs a validator: it is live, also where the code around it replays. */
function asLive(run: RunContext, fn: () => void): void {
  const { unsafe } = run.facts;
  run.changeInfo({ unsafe: Object.freeze({ ...unsafe, isReplayingHistoryEvents: false }) });
  try {
    fn();
  } finally {
    run.changeInfo({ unsafe });
  }
}

function rejectUpdate(run: RunContext, protocolInstanceId: string, error: unknown): void {
  run.push({ updateResponse: { protocolInstanceId, rejected: run.errorToFailure(ensureTemporalFailure(error)) } });
}

/** Hands out waiting updates that have a handler now, in the order of their arrival. */
export function dispatchBufferedUpdates(run: RunContext): void {
  while (run.bufferedUpdates.length > 0) {
    const index = run.defaultUpdateHandler ? 0 : run.bufferedUpdates.findIndex(({ name }) => run.updateHandlers.has(name!));
    if (index < 0) return;
    receiveUpdate(run, run.bufferedUpdates.splice(index, 1)[0]!);
  }
}

export function rejectBufferedUpdates(run: RunContext): void {
  for (const { protocolInstanceId, name } of run.bufferedUpdates.splice(0)) {
    rejectUpdate(run, protocolInstanceId!, ApplicationFailure.nonRetryable(`No registered handler for update: ${name}`));
  }
}
