/** Workflow tasks that keep failing: after some in a row the run says so in a search attribute, by which people find it, until one gets through. */
import { enums } from '../api.js';
import type { RunState } from '../run-state.js';
import { noteProblems } from '../system-attributes.js';
import { causeName, camelName } from '../validate/command-fault.js';

/** A run whose workflow task has failed so often in a row is asked nothing more: what it is asked comes after the events that it stumbles over. */
const FAILING_ATTEMPTS = 3;

const TIMED_OUT = 'category=WorkflowTaskTimedOut';

/** Whether its workers fail at a run's workflow task again and again. Tasks that timed out say nothing of that: workers or nodes died with them. */
export const keepsFailing = ({ workflowTaskAttempt, taskProblem }: RunState): boolean => workflowTaskAttempt >= FAILING_ATTEMPTS && taskProblem[0] !== TIMED_OUT;

/** Failures in a row from which on they are a problem. */
const PROBLEM_FROM = 5;

/** What the next failures that count are put down to: later attempts of a task leave no events. */
export function failedBecause(state: RunState, cause: number): void {
  state.taskProblem = ['category=WorkflowTaskFailed', `cause=WorkflowTaskFailedCause${causeName(cause)}`];
}

export function timedOutBecause(state: RunState, timeoutType: number): void {
  const name = camelName((enums.TimeoutType[timeoutType] ?? '').replace('TIMEOUT_TYPE_', ''));
  state.taskProblem = [TIMED_OUT, `cause=WorkflowTaskTimedOutCause${name}`];
}

export function countFailure(state: RunState): void {
  state.taskFailures += 1;
  if (state.taskFailures >= PROBLEM_FROM) noteProblems(state, state.taskProblem);
}

export function taskGotThrough(state: RunState): void {
  if (state.taskFailures >= PROBLEM_FROM) noteProblems(state, []);
  state.taskFailures = 0;
}
