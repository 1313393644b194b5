/** Why a workflow task's answer cannot be accepted: the task fails with a cause, and the worker is told. */
import { causeName } from './validate/command-fault.js';

export class TaskFault extends Error {
  override readonly name = 'TaskFault';
  constructor(
    readonly failedCause: number,
    readonly detail: string,
    /** The run cannot go on (a payload over the limit): it is terminated with the same text. */
    readonly terminatesRun = false,
  ) {
    super(detail ? `${causeName(failedCause)}: ${detail}` : causeName(failedCause));
  }
}
