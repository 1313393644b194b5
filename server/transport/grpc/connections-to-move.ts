/** Which connections go when a process is to do less: pure, so that it can be tried with any. */

/** What a connection has been used for. */
export interface ConnectionUse {
  calls: number;
  /** Task queues, polled or named in starts. */
  readonly queues: Set<string>;
  /** Those of them that it polls. */
  readonly polled: ReadonlySet<string>;
}

const calls = (uses: readonly ConnectionUse[]): number => uses.reduce((sum, use) => sum + use.calls + 1, 0);

/**
 * Chooses connections that make up about a share of all calls. Whole groups that use the same queues go first, largest first; a group that is larger
 * than what is left to go is split.
 */
export function connectionsToMove<Use extends ConnectionUse>(uses: readonly Use[], share: number): Use[] {
  if (share >= 1) return [...uses];
  const wanted = calls(uses) * share;
  let left = wanted;
  const leaving: Use[] = [];
  const tooLarge: Use[][] = [];
  for (const group of groupsOf(uses).sort((a, b) => calls(b) - calls(a))) {
    if (calls(group) > left * MORE) {
      tooLarge.push(group);
      continue;
    }
    leaving.push(...group);
    left -= calls(group);
  }
  if (left <= 0.2 * wanted) return leaving;
  for (const group of tooLarge) {
    const part = partOf(group, left / calls(group));
    if (part.length > 0) return [...leaving, ...part];
  }
  return leaving;
}

/** So many times what is left to go may go. */
const MORE = 1.2;

/**
 * The same share of a group's workers and of its callers, so that either part has both in proportion: workers alone would have nothing to do, and callers
 * alone would come back. Nothing when not both parts get a worker.
 */
function partOf<Use extends ConnectionUse>(group: readonly Use[], share: number): Use[] {
  const byCalls = [...group].sort((a, b) => b.calls - a.calls);
  const workers = byCalls.filter(({ polled }) => polled.size > 0);
  const callers = byCalls.filter(({ polled }) => polled.size === 0);
  const going = atMost(workers.slice(1), calls(workers) * share);
  return going.length > 0 ? [...going, ...atMost(callers, calls(callers) * share)] : [];
}

function atMost<Use extends ConnectionUse>(uses: readonly Use[], most: number): Use[] {
  let left = most;
  return uses.filter((use) => {
    const goes = use.calls + 1 <= left * MORE;
    if (goes) left -= use.calls + 1;
    return goes;
  });
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
