/**
 * Where work goes in a group of engine processes. One process does everything as long as it can: what callers and workers do in one process needs no
 * word to another, no second look at the database, and shares its commits. When a process has no time left although the machine has, another
 * takes part, and gets half of its connections; when two together would do for one, they become one again. Pure: decisions only.
 */
import type { MemberLoad } from './messages.js';

/** A member as the parent sees it. */
export interface MemberView {
  readonly slot: number;
  /** `ready`: takes connections. `standby`: could take part. Anything else is on its way from one to the other. */
  readonly state: 'loading' | 'standby' | 'starting' | 'ready' | 'ending';
  readonly load: MemberLoad;
  /** When it last said so. */
  readonly toldMs: number;
  /** Since when it has had no time left, or next to nothing to do; undefined: neither. */
  readonly fullSinceMs: number | undefined;
  readonly idleSinceMs: number | undefined;
}

/** `packed`: on as few processes as can do the work. `spread`: on all, in turn. */
export type Placement = 'packed' | 'spread';

/** Shares of one processor's time. */
export const FULL = 0.8;
const ROOM = 0.6;
/** What two members do that could be one. */
const FEW = 0.3;
/** So much of the machine must have nothing to do for another process to make anything faster, in processors. */
const SPARE = 0.5;
/** A member is relieved when it has been full for so long, and taken in by another when both had little to do for so long. */
export const FULL_MS = 3_000;
export const FEW_MS = 60_000;
/** A member that has not been heard of for so long is stopped, or its machine is: no connection is given to it. */
const SILENT_MS = 3_000;

export interface Move {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** Callers of queues go to where the workers of those queues are. */
export interface Gathering {
  readonly from: number;
  readonly to: number;
  readonly queues: readonly string[];
}

export type Step =
  | { readonly type: 'start'; readonly slot: number }
  | { readonly type: 'end'; readonly slot: number }
  | ({ readonly type: 'move' } & Move)
  | ({ readonly type: 'gather' } & Gathering);

const responsive = (member: MemberView, nowMs: number): boolean => member.state === 'ready' && nowMs - member.toldMs < SILENT_MS;

/** Members that may be given connections; when none answers, any that is there. */
function takers(members: readonly MemberView[], nowMs: number): MemberView[] {
  const lively = members.filter((member) => responsive(member, nowMs));
  return lively.length > 0 ? lively : members.filter(({ state }) => state === 'ready');
}

const least = (members: readonly MemberView[], of: (member: MemberView) => number): MemberView | undefined =>
  members.reduce<MemberView | undefined>((best, member) => (best === undefined || of(member) < of(best) ? member : best), undefined);

/** The slot that a new connection goes to; undefined: nobody serves. */
export function placeConnection(members: readonly MemberView[], placement: Placement, nowMs: number): number | undefined {
  const candidates = takers(members, nowMs).sort((a, b) => a.slot - b.slot);
  if (placement === 'spread') return least(candidates, ({ load }) => load.connections)?.slot;
  return (candidates.find(({ load }) => load.cpu < ROOM) ?? least(candidates, ({ load }) => load.cpu))?.slot;
}

/** What is to be done now, if anything; called about once a second. `spare`: processors of the machine that have nothing to do. */
export function nextStep(members: readonly MemberView[], placement: Placement, spare: number, nowMs: number): Step | undefined {
  const standby = members.find(({ state }) => state === 'standby');
  const starting = members.some(({ state }) => state === 'starting');
  const serving = members.filter((member) => responsive(member, nowMs));
  if (standby && !starting && (placement === 'spread' || serving.length === 0)) return { type: 'start', slot: standby.slot };
  if (placement === 'spread') return gathering(serving);
  const full = serving.find(({ fullSinceMs, load }) => fullSinceMs !== undefined && nowMs - fullSinceMs >= FULL_MS && load.connections > 1);
  if (full && spare >= SPARE) {
    const other = least(serving.filter((member) => member !== full && member.load.cpu < ROOM), ({ load }) => load.cpu);
    if (other) return { type: 'move', from: full.slot, to: other.slot, share: (1 - other.load.cpu / full.load.cpu) / 2 };
    return standby && !starting ? { type: 'start', slot: standby.slot } : undefined;
  }
  return gathering(serving) ?? fewer(serving, nowMs);
}

/** A caller that has no worker in its process, while another process has: each of its starts would be stored, told, fetched and loaded again. */
function gathering(serving: readonly MemberView[]): Step | undefined {
  for (const { slot: from, load } of serving) {
    if (!load.strays?.length) continue;
    for (const other of serving) {
      if (other.slot === from || other.load.cpu >= FULL) continue;
      const polled = new Set(other.load.polled);
      const queues = load.strays.filter((queue) => polled.has(queue));
      if (queues.length > 0) return { type: 'gather', from, to: other.slot, queues };
    }
  }
  return undefined;
}

/** Two members that have had little to do for long become one: first its connections go, then the member. */
function fewer(serving: readonly MemberView[], nowMs: number): Step | undefined {
  const idle = serving.filter(({ idleSinceMs }) => idleSinceMs !== undefined && nowMs - idleSinceMs >= FEW_MS).sort((a, b) => a.slot - b.slot);
  const [stays, goes] = [idle[0], idle.at(-1)];
  if (!stays || !goes || stays === goes || stays.load.cpu + goes.load.cpu > FEW) return undefined;
  return goes.load.connections === 0 ? { type: 'end', slot: goes.slot } : { type: 'move', from: goes.slot, to: stays.slot, share: 1 };
}

/** Since when a member has been full, or had little to do, now that it has said how much it does. */
export function sinceWhen(before: Pick<MemberView, 'fullSinceMs' | 'idleSinceMs'>, { cpu }: MemberLoad, nowMs: number): Pick<MemberView, 'fullSinceMs' | 'idleSinceMs'> {
  return {
    fullSinceMs: cpu >= FULL ? (before.fullSinceMs ?? nowMs) : undefined,
    idleSinceMs: cpu <= FEW ? (before.idleSinceMs ?? nowMs) : undefined,
  };
}
