import { expect, test } from 'vitest';
import { api } from '../../server/core/api.js';
import { mergePriorities, taskRank } from '../../server/core/priority.js';

const encode = (value: object) => api.common.v1.Priority.encode(value).finish();

test('what an activity says of its own goes before what its run says, field by field', () => {
  const run = encode({ priorityKey: 1, fairnessKey: 'tenant', fairnessWeight: 2 });
  expect(mergePriorities(run, encode({ priorityKey: 5 }))).toEqual({ priorityKey: 5, fairnessKey: 'tenant', fairnessWeight: 2 });
  expect(mergePriorities(run, null)).toMatchObject({ priorityKey: 1, fairnessKey: 'tenant' });
  expect(mergePriorities(null, encode({ priorityKey: 2 }))).toMatchObject({ priorityKey: 2 });
  expect(mergePriorities(null, null)).toBeUndefined();
});

test('nobody’s word is the middle level, and none is beyond the last', () => {
  const level = (priority: object) => taskRank(encode(priority), null).priority;
  expect([taskRank(null, null).priority, level({}), level({ priorityKey: 1 }), level({ priorityKey: 9 })]).toEqual([3, 3, 1, 5]);
});

test('a task is ranked by its own tenant, else by that of its run', () => {
  const run = encode({ fairnessKey: 'tenant', fairnessWeight: 2 });
  expect(taskRank(run, null)).toEqual({ priority: 3, key: 'tenant', weight: 2 });
  expect(taskRank(run, encode({ fairnessKey: 'other', priorityKey: 2 }))).toEqual({ priority: 2, key: 'other', weight: 2 });
});
