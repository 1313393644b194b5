/** What a reset does to its new run besides: operations that the caller sends along. */
import type { temporal } from '../core/api.js';
import { invalidArgument } from '../core/errors.js';
import { appendSignal } from '../core/kinds/signal.js';
import type { Turn } from '../core/turn.js';
import { changeOptions, checkOptions, requireOptionsMask } from './update-options.js';

type Operation = temporal.api.workflow.v1.IPostResetOperation;

export function checkPostResetOperations(operations: readonly Operation[] | null | undefined): void {
  for (const { signalWorkflow, updateWorkflowOptions } of operations ?? []) {
    if (updateWorkflowOptions) {
      requireOptionsMask(updateWorkflowOptions.updateMask);
      checkOptions(updateWorkflowOptions.workflowExecutionOptions ?? {});
    } else if (!signalWorkflow) throw invalidArgument('unsupported post reset operation: neither a signal nor a change of options');
  }
}

export function applyPostResetOperations(turn: Turn, operations: readonly Operation[] | null | undefined): void {
  for (const { signalWorkflow, updateWorkflowOptions } of operations ?? []) {
    if (signalWorkflow) {
      const { signalName, input, header, links } = signalWorkflow;
      appendSignal(turn, { name: signalName ?? '', input, header, links, identity: 'history-service' });
    }
    if (updateWorkflowOptions) changeOptions(turn, updateWorkflowOptions, '');
  }
}
