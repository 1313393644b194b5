// biome-ignore-all lint/suspicious/noExplicitAny: signals of every signature.
/** Signals and cancel requests to workflows that are nobody's children. */
import type { SignalTypeInfo } from '../definitions/type-info.js';
import type { BaseWorkflowHandle, SignalDefinition, Workflow, WorkflowSignalOptions } from '../definitions/workflow.js';
import { toPayloadsWithContext } from '../payload/payload-converter.js';
import { CancellationScope } from './cancellation-scope.js';
import { currentRun } from './current-run.js';
import { eventGroupMarkers } from './event-groups.js';
import type { SignalWorkflowInput } from './interceptors.js';
import { patched } from './patches.js';
import { tieToScope } from './scope-link.js';

/** Under this patch a cancel request to another workflow belongs to the scope it is made in. */
const CANCEL_IN_SCOPE_PATCH = '__temporal_internal_connect_external_handle_cancel_to_scope';

/** A workflow that runs somewhere. */
export interface ExternalWorkflowHandle extends Pick<BaseWorkflowHandle<Workflow>, 'signal' | 'signalWithOptions' | 'workflowId'> {
  /** The run that is meant; absent for whichever is the current one. */
  readonly runId?: string;
  /** Asks it to cancel; resolves when the request is delivered. */
  cancel(): Promise<void>;
}

/** A handle to any workflow of the namespace, by its id. Without a run id: whichever run is the current one. */
export function getExternalWorkflowHandle(workflowId: string, runId?: string): ExternalWorkflowHandle {
  currentRun('getExternalWorkflowHandle()');
  const target: SignalWorkflowInput['target'] = { type: 'external', workflowExecution: { workflowId, runId } };
  return {
    workflowId,
    runId,
    cancel: () => requestCancel(workflowId, runId),
    signal<Args extends unknown[]>(def: SignalDefinition<Args> | string, ...args: Args): Promise<void> {
      return typeof def === 'string' ? sendSignal(target, def, args) : sendSignal(target, def.name, args, def.typeInfo);
    },
    signalWithOptions<Args extends unknown[]>(signalName: string, options: WorkflowSignalOptions<Args>): Promise<void> {
      return sendSignal(target, signalName, options.args ?? [], options.typeInfo);
    },
  };
}

function requestCancel(workflowId: string, runId: string | undefined): Promise<void> {
  const run = currentRun('ExternalWorkflowHandle.cancel()');
  return new Promise<void>((resolve, reject) => {
    const scope = CancellationScope.current();
    if (scope.cancellable) {
      scope.cancelRequested.catch((reason) => {
        if (patched(CANCEL_IN_SCOPE_PATCH)) reject(reason);
      });
    }
    if (scope.consideredCancelled && patched(CANCEL_IN_SCOPE_PATCH)) return;
    const seq = run.next.cancel++;
    run.push({
      requestCancelExternalWorkflowExecution: { seq, workflowExecution: { namespace: run.facts.namespace, workflowId, runId } },
      eventGroupMarkers: eventGroupMarkers(),
    });
    const context = run.contextOf(workflowId);
    run.cancelsSent.set(seq, { resolve: resolve as (value: unknown) => void, reject, context, waitsAt: new Error() });
  });
}

/** Sends a signal to a child or another workflow; resolves when it is delivered. */
export function sendSignal(
  target: SignalWorkflowInput['target'],
  signalName: string,
  args: unknown[],
  typeInfo?: SignalTypeInfo,
): Promise<void> {
  const run = currentRun('signal()');
  const input = { seq: run.next.signal++, signalName, args, typeInfo, target, headers: {} };
  return run.intercept(run.outbound, 'signalWorkflow', signalWorkflow)(input);
}

function signalWorkflow({ seq, signalName, args, typeInfo, target, headers }: SignalWorkflowInput): Promise<void> {
  const run = currentRun('signal()');
  const workflowId = target.type === 'external' ? target.workflowExecution.workflowId : target.childWorkflowId;
  const context = run.contextOf(workflowId ?? '');
  return new Promise<void>((resolve, reject) => {
    const cancelled = tieToScope(reject, () => {
      if (run.signalsSent.has(seq)) run.push({ cancelSignalWorkflow: { seq } });
    });
    if (cancelled) return;
    const to =
      target.type === 'external'
        ? { workflowExecution: { namespace: run.facts.namespace, ...target.workflowExecution } }
        : { childWorkflowId: target.childWorkflowId };
    run.push({
      signalExternalWorkflowExecution: {
        seq,
        args: toPayloadsWithContext(run.payloadConverter, context, args, typeInfo?.inputTypes),
        headers,
        signalName,
        ...to,
      },
      eventGroupMarkers: eventGroupMarkers(),
    });
    run.signalsSent.set(seq, { resolve: resolve as (value: unknown) => void, reject, context, waitsAt: new Error() });
  });
}
