/** Which connections go when a process is to do less: pure, so that it can be tried with any. */

/** What a connection has been used for. */
export interface ConnectionUse {
  calls: number;
  /** Task queues, polled or named in starts. */
  readonly queues: Set<string>;
  /** Those of them that it polls. */
  readonly polled: ReadonlySet<string>;
}

/**
 * Chooses connections that make up about a share of all calls. Whole groups that use the same queues go first, largest first; a group that is larger
 * than what is left to go is split, if it has workers for both parts: callers without one would come back.
 */
export function connectionsToMove<Use extends ConnectionUse>(uses: readonly Use[], share: number): Use[] {
  if (share >= 1) return [...uses];
  const calls = (group: readonly Use[]): number => group.reduce((sum, use) => sum + use.calls + 1, 0);
  let left = calls(uses) * share;
  const groups = groupsOf(uses).sort((a, b) => calls(b) - calls(a));
  const leaving: Use[] = [];
  const split: Use[][] = [];
  for (const group of groups) {
    if (calls(group) > left * 1.2) {
      split.push(group);
      continue;
    }
    leaving.push(...group);
    left -= calls(group);
  }
  const largest = split.find((group) => group.filter(({ polled }) => polled.size > 0).length > 1);
  if (!largest || left <= 0.2 * calls(uses) * share) return leaving;
  const [, ...others] = [...largest].sort((a, b) => Number(b.polled.size > 0) - Number(a.polled.size > 0) || b.calls - a.calls);
  for (const use of others) {
    if (use.calls + 1 > left * 1.2) continue;
    leaving.push(use);
    left -= use.calls + 1;
  }
  const withWorker = leaving.some((use) => largest.includes(use) && use.polled.size > 0);
  return withWorker ? leaving : leaving.filter((use) => !largest.includes(use));
}

/** Connections that use a queue in common, directly or by way of others. */
function groupsOf<Use extends ConnectionUse>(uses: readonly Use[]): Use[][] {
  let groups: { queues: Set<string>; members: Use[] }[] = [];
  for (const use of uses) {
    const joined = { queues: new Set(use.queues), members: [use] };
    const apart: typeof groups = [];
    for (const group of groups) {
      if (![...use.queues].some((queue) => group.queues.has(queue))) {
        apart.push(group);
        continue;
      }
      for (const queue of group.queues) joined.queues.add(queue);
      joined.members.push(...group.members);
    }
    groups = [...apart, joined];
  }
  return groups.map(({ members }) => members);
}
