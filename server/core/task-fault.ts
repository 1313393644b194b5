/** Why a workflow task's answer cannot be accepted: the task fails with a cause, and the worker is told. */
import { enums } from './api.js';

const NAMES = new Map<number, string>(
  Object.entries(enums.WorkflowTaskFailedCause)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    .map(([key, value]) => [value, pascal(key.replace('WORKFLOW_TASK_FAILED_CAUSE_', ''))]),
);

function pascal(name: string): string {
  return name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `BadScheduleActivityAttributes` for the enum value of that cause. */
export const causeName = (cause: number): string => NAMES.get(cause) ?? String(cause);

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
