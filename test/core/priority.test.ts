import { expect, test } from 'vitest';
import { api } from '../../server/core/api.js';
import { mergePriorities, priorityKey } from '../../server/core/priority.js';

const encode = (value: object) => api.common.v1.Priority.encode(value).finish();

test('what an activity says of its own goes before what its run says, field by field', () => {
  const run = encode({ priorityKey: 1, fairnessKey: 'tenant', fairnessWeight: 2 });
  expect(mergePriorities(run, encode({ priorityKey: 5 }))).toEqual({ priorityKey: 5, fairnessKey: 'tenant', fairnessWeight: 2 });
  expect(mergePriorities(run, null)).toMatchObject({ priorityKey: 1, fairnessKey: 'tenant' });
  expect(mergePriorities(null, encode({ priorityKey: 2 }))).toMatchObject({ priorityKey: 2 });
  expect(mergePriorities(null, null)).toBeUndefined();
});

test('nobody’s word is the middle level, and none is beyond the last', () => {
  expect([undefined, {}, { priorityKey: 1 }, { priorityKey: 9 }].map(priorityKey)).toEqual([3, 3, 1, 5]);
});
