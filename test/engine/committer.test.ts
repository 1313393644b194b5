/** Group commit: what comes together is written together, what comes meanwhile goes with the next group. */
import { expect, test } from 'vitest';
import { Committer } from '../../server/engine/committer.js';
import type { Commits } from '../../server/storage/commit.js';
import type { CommitItem, CommitResult } from '../../server/storage/commit-item.js';

const item = (): CommitItem => ({ runs: [], copies: [], tasks: [], takenTasks: [], requests: [], messages: [], takenMessages: [], approvals: [] });

/** Storage that answers when it is told to. */
function storage() {
  const groups: { size: number; answer: () => void }[] = [];
  const write = (items: readonly CommitItem[]): Promise<CommitResult[]> =>
    new Promise((resolve) => groups.push({ size: items.length, answer: () => resolve(items.map(() => 'done')) }));
  return { groups, commits: { write } as unknown as Commits };
}

const endOfTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('what comes in one turn of the event loop is one group, also when nothing is under way', async () => {
  const { groups, commits } = storage();
  const committer = new Committer(commits, { groupMax: 200, lanes: 1, now: () => 0 });
  const first = committer.commit(item());
  await Promise.resolve();
  const rest = [committer.commit(item()), committer.commit(item())];
  await endOfTurn();
  expect(groups.map((g) => g.size)).toEqual([3]);
  groups[0]!.answer();
  expect(await Promise.all([first, ...rest])).toEqual(['done', 'done', 'done']);
});

test('what comes while a group is under way is the next group', async () => {
  const { groups, commits } = storage();
  const committer = new Committer(commits, { groupMax: 2, lanes: 1, now: () => 0 });
  const all = [committer.commit(item())];
  await endOfTurn();
  for (let i = 0; i < 3; i++) all.push(committer.commit(item()));
  await endOfTurn();
  expect(groups.map((g) => g.size)).toEqual([1]);
  groups[0]!.answer();
  await all[0];
  await endOfTurn();
  expect(groups.map((g) => g.size)).toEqual([1, 2]);
  groups[1]!.answer();
  await all[2];
  await endOfTurn();
  expect(groups.map((g) => g.size)).toEqual([1, 2, 1]);
  groups[2]!.answer();
  await Promise.all(all);
  expect([committer.groups, committer.items]).toEqual([3, 4]);
});
