/** The timeouts of a run with what is left out filled in. All in milliseconds, 0 meaning none. */
import { cappedMs } from '../validate/duration.js';
import type { Timeouts } from '../validate/workflow-start.js';

export interface RunTimeouts {
  /** Spans the whole chain of runs. */
  readonly executionMs: number;
  readonly runMs: number;
  /** Never 0: a workflow task always ends. */
  readonly taskMs: number;
}

export interface TaskTimeoutLimits {
  readonly defaultWorkflowTaskTimeoutMs: number;
  readonly workflowTaskTimeoutMaxMs: number;
}

/** A run ends with its chain at the latest, and a task with its run. */
export function completeRunTimeouts(asked: Timeouts, limits: TaskTimeoutLimits): RunTimeouts {
  const executionMs = cappedMs(asked.workflowExecutionTimeout);
  const runMs = shorter(cappedMs(asked.workflowRunTimeout), executionMs);
  const taskMs = Math.min(cappedMs(asked.workflowTaskTimeout) || limits.defaultWorkflowTaskTimeoutMs, limits.workflowTaskTimeoutMaxMs);
  return { executionMs, runMs, taskMs: shorter(taskMs, runMs) };
}

/** The shorter of two timeouts, either of which may be none. */
const shorter = (first: number, second: number): number => (first === 0 ? second : second === 0 ? first : Math.min(first, second));
