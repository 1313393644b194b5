import { expect, test } from 'vitest';
import { toDuration } from '../../server/core/api.js';
import { completeRunTimeouts } from '../../server/core/defaults/run-timeouts.js';

const limits = { defaultWorkflowTaskTimeoutMs: 10_000, workflowTaskTimeoutMaxMs: 120_000 };
const seconds = (execution: number, run: number, task: number) => {
  const part = (value: number) => (value ? toDuration(value * 1000) : undefined);
  const all = completeRunTimeouts(
    { workflowExecutionTimeout: part(execution), workflowRunTimeout: part(run), workflowTaskTimeout: part(task) },
    limits,
  );
  return [all.executionMs / 1000, all.runMs / 1000, all.taskMs / 1000];
};

test.each([
  ['nothing asked', [0, 0, 0], [0, 0, 10]],
  ['a run ends with its chain', [10, 20, 0], [10, 10, 10]],
  ['a chain bounds its run', [60, 0, 0], [60, 60, 10]],
  ['a run may be shorter', [60, 30, 5], [60, 30, 5]],
  ['a task ends with its run', [0, 3, 0], [0, 3, 3]],
  ['a task is two minutes at most', [0, 0, 300], [0, 0, 120]],
  ['nothing lasts more than a hundred years', [6_307_200_000, 0, 0], [3_153_600_000, 3_153_600_000, 10]],
])('%s', (_what, [execution, run, task], expected) => {
  expect(seconds(execution!, run!, task!)).toEqual(expected);
});
