/**
 * Who waits for the same signal shares one listener. A worker's calls and waits all end by the same few signals, and a listener of
 * its own for each, added and removed, costs as much as the rest of the call.
 */

interface Watched<Member> {
  members: Set<Member>;
  listener: () => void;
}

/** Tells members when their signal aborts. */
export class AbortWatch<Member> {
  private readonly watched = new Map<AbortSignal, Watched<Member>>();

  /** @param onAbort Called for each member of a signal that aborts, in the order in which they came. */
  constructor(private readonly onAbort: (member: Member) => void) {}

  /** Adds a member. The signal must not be aborted yet. */
  add(signal: AbortSignal, member: Member): void {
    let watched = this.watched.get(signal);
    if (!watched) {
      const members = new Set<Member>();
      const listener = () => {
        this.watched.delete(signal);
        for (const each of members) this.onAbort(each);
      };
      watched = { members, listener };
      this.watched.set(signal, watched);
      signal.addEventListener('abort', listener, { once: true });
    }
    watched.members.add(member);
  }

  /** Takes a member away; one that is not there is nothing to worry about. */
  remove(signal: AbortSignal, member: Member): void {
    const watched = this.watched.get(signal);
    if (!watched?.members.delete(member) || watched.members.size > 0) return;
    this.watched.delete(signal);
    signal.removeEventListener('abort', watched.listener);
  }
}
