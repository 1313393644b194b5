/**
 * Repairs what a cut-off leaves behind. Where AsyncLocalStorage works by promise hooks (before Node 24), Node keeps a stack of async ids: code
 * that is terminated inside of a promise reaction never takes its id off again, and Node ends the process when it sees that. There is no
 * public way to take it off, so this uses the binding that the hooks themselves use.
 */
import { executionAsyncId } from 'node:async_hooks';

interface AsyncWrap {
  async_hook_fields: Uint32Array;
  async_id_fields: Float64Array;
  async_ids_stack: Float64Array;
  execution_async_resources: unknown[];
  constants: { kStackLength: number; kExecutionAsyncId: number; kTriggerAsyncId: number };
}

let binding: AsyncWrap | undefined;

function asyncWrap(): AsyncWrap | undefined {
  if (binding) return binding;
  const { noDeprecation } = process;
  // The binding is deprecated for everybody, and needed here by nobody until a workflow is cut off.
  process.noDeprecation = true;
  try {
    binding = (process as unknown as { binding(name: string): AsyncWrap }).binding('async_wrap');
  } catch {
    return undefined;
  } finally {
    process.noDeprecation = noDeprecation;
  }
  return binding;
}

/** Takes ids off the stack until the one that was current before the code ran is current again. */
export function restoreAsyncId(wanted: number): void {
  if (executionAsyncId() === wanted) return;
  const wrap = asyncWrap();
  if (!wrap) return;
  const { async_hook_fields: fields, async_id_fields: ids, async_ids_stack: stack, execution_async_resources: resources, constants } = wrap;
  while (fields[constants.kStackLength]! > 0 && executionAsyncId() !== wanted) {
    const top = fields[constants.kStackLength]! - 1;
    ids[constants.kExecutionAsyncId] = stack[2 * top]!;
    ids[constants.kTriggerAsyncId] = stack[2 * top + 1]!;
    resources.pop();
    fields[constants.kStackLength] = top;
  }
}
