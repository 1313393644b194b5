/** How many polls a worker keeps open, by its options, its slots, and how calls travel. */
import { expect, test } from 'vitest';
import { activityScale, workflowScales } from '../../../worker-sdk/worker/poller-scales.js';

const queue = { taskQueue: 'q' };
const most = (scale: { maximum: number; streamed: number } | undefined) => scale && [scale.maximum, scale.streamed];

test('by default: fifty of each kind, and one for each slot where calls share a stream', () => {
  expect(most(activityScale(queue, 100))).toEqual([50, 100]);
  const { workflowPolls, stickyPolls } = workflowScales(queue, true, 200);
  expect(most(workflowPolls)).toEqual([10, 100]);
  expect(most(stickyPolls)).toEqual([40, 100]);
  expect(most(workflowScales(queue, false, 200).workflowPolls)).toEqual([50, 200]);
});

test('polls of the normal queue never hold all slots, so that runs which have begun go on', () => {
  const { workflowPolls, stickyPolls } = workflowScales(queue, true, 5);
  expect(most(workflowPolls)).toEqual([10, 2]);
  expect(most(stickyPolls)).toEqual([40, 3]);
});

test('a number that the user gave holds everywhere', () => {
  expect(most(activityScale({ ...queue, maxConcurrentActivityTaskPolls: 7 }, 100))).toEqual([7, 7]);
  expect(most(activityScale({ ...queue, activityTaskPollerBehavior: { type: 'autoscaling', maximum: 9 } }, 100))).toEqual([9, 9]);
  const { workflowPolls, stickyPolls } = workflowScales(
    { ...queue, maxConcurrentWorkflowTaskPolls: 10, nonStickyToStickyPollRatio: 0.3 },
    true,
    200,
  );
  expect([most(workflowPolls), most(stickyPolls)]).toEqual([
    [3, 3],
    [7, 7],
  ]);
});

test('slots by a user’s rules or by the machine: their number is not known, and neither kind of connection has more polls', () => {
  expect(most(activityScale(queue, undefined))).toEqual([50, 50]);
  expect(most(workflowScales(queue, true, undefined).workflowPolls)).toEqual([10, 10]);
});
