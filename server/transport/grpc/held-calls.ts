/**
 * Unary calls that wait for their turn, by connection. Each has a stream of its connection, of which there is a bounded number: if all of them waited, what
 * the caller asks besides (results, signals, queries) would wait behind them in its own process. So those that have waited longest make room.
 */
import type { Ticket } from '../../engine/call.js';
import { Fifo } from '../../engine/load/fifo.js';

export class HeldCalls {
  private readonly byPeer = new Map<string, Fifo<Ticket>>();

  constructor(
    /** Of one connection at once. */
    private readonly max: number,
  ) {}

  add(peer: string, ticket: Ticket): void {
    let held = this.byPeer.get(peer);
    if (!held) {
      held = new Fifo();
      this.byPeer.set(peer, held);
    }
    held.push(ticket);
    if (held.size > this.max) held.shift()!.refuse();
  }

  /** It waits no more. */
  remove(peer: string, ticket: Ticket): void {
    const held = this.byPeer.get(peer);
    held?.remove(ticket);
    if (held?.size === 0) this.byPeer.delete(peer);
  }
}
