/** A command that cannot be carried out: what that does to its workflow task, and how it is said. */
import { enums } from '../api.js';
import type { Problem } from './problem.js';

export interface CommandFault {
  /** temporal.api.enums.v1.WorkflowTaskFailedCause of the WorkflowTaskFailed event. */
  readonly cause: number;
  /** What is wrong, without the cause in front. */
  readonly message: string;
  /** The run itself is terminated, because what it asks for will never fit. */
  readonly terminates: boolean;
}

const CAUSE_PREFIX = 'WORKFLOW_TASK_FAILED_CAUSE_';

/** An enum value's name without its prefix, in camel case: `BadStartTimerAttributes`. */
export const camelName = (name: string): string =>
  name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');

export const causeName = (cause: number): string =>
  camelName((enums.WorkflowTaskFailedCause[cause] ?? `${CAUSE_PREFIX}UNSPECIFIED`).slice(CAUSE_PREFIX.length));

/** The text that the worker is answered and that the WorkflowTaskFailed event holds. */
export const faultText = ({ cause, message }: CommandFault): string => `${causeName(cause)}: ${message}`;

/** The task fails when there is a problem, and is tried again. */
export const failsTask = (cause: number, problem: Problem): CommandFault | undefined =>
  problem === undefined ? undefined : { cause, message: problem, terminates: false };

/** The run is terminated when what it asks for is too large. */
export const terminatesRun = (cause: number, problem: Problem): CommandFault | undefined =>
  problem === undefined ? undefined : { cause, message: problem, terminates: true };
