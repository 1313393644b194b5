/**
 * Who waits for the same signal shares one listener. A worker's calls and waits all end by the same few signals, and a listener of
 * its own for each, added and removed, costs as much as the rest of the call. So the listener of a signal stays for a while when
 * nobody waits any more: the next one mostly comes soon.
 */

/** Signals that are listened to though nobody waits. */
const KEPT_MAX = 8;

interface Watched<Member> {
  members: Set<Member>;
  listener: () => void;
}

/** Tells members when their signal aborts. */
export class AbortWatch<Member> {
  private readonly watched = new Map<AbortSignal, Watched<Member>>();
  /** Those without members, the one that lost its last one first before the others. */
  private readonly kept = new Set<AbortSignal>();

  /** @param onAbort Called for each member of a signal that aborts, in the order in which they came. */
  constructor(private readonly onAbort: (member: Member) => void) {}

  /** Adds a member. The signal must not be aborted yet. */
  add(signal: AbortSignal, member: Member): void {
    let watched = this.watched.get(signal);
    if (!watched) {
      const members = new Set<Member>();
      const listener = () => {
        this.watched.delete(signal);
        this.kept.delete(signal);
        for (const each of members) this.onAbort(each);
      };
      watched = { members, listener };
      this.watched.set(signal, watched);
      signal.addEventListener('abort', listener, { once: true });
    } else if (watched.members.size === 0) this.kept.delete(signal);
    watched.members.add(member);
  }

  /** Takes a member away; one that is not there is nothing to worry about. */
  remove(signal: AbortSignal, member: Member): void {
    const watched = this.watched.get(signal);
    if (!watched?.members.delete(member) || watched.members.size > 0) return;
    this.kept.add(signal);
    if (this.kept.size > KEPT_MAX) this.letGo(this.kept.values().next().value!);
  }

  /** Listens to no signal any more that nobody waits for. */
  close(): void {
    for (const signal of this.kept) this.letGo(signal);
  }

  private letGo(signal: AbortSignal): void {
    this.kept.delete(signal);
    const watched = this.watched.get(signal);
    this.watched.delete(signal);
    if (watched) signal.removeEventListener('abort', watched.listener);
  }
}
