/** Messages between runs at rest: written by the commit of the run that sends them, deleted by the commit that takes them in. */
import type { Message, OutboxMessage } from '../core/message.js';
import type { Database } from './database.js';
import { decodeMessage } from './snapshot-codec.js';

export class Outbox {
  constructor(
    private readonly database: Database,
    /** Told when a message here is to be looked for again. */
    private readonly onWaiting: (untilMs: number) => void = () => undefined,
  ) {}

  /** When the time of the first message comes, or came; Infinity when there is none. */
  async nextMs(): Promise<number> {
    const rows = await this.database.query<{ not_before_ms: number | null }>({ name: 'outbox-next', text: 'select min(not_before_ms) as not_before_ms from outbox' });
    return rows[0]?.not_before_ms ?? Number.POSITIVE_INFINITY;
  }

  /** Takes up to `limit` messages whose time has come for this node until `untilMs`, oldest first; other nodes pass them by. */
  async claim(limit: number, nowMs: number, untilMs: number): Promise<OutboxMessage[]> {
    const rows = await this.database.query<{ message_id: string; position: number; message: Buffer }>({
      name: 'outbox-claim',
      text: `with due as (
          select message_id from outbox where not_before_ms <= $1 order by not_before_ms limit $2 for update skip locked)
        update outbox o set not_before_ms = $3 from due d where o.message_id = d.message_id
        returning o.message_id, o.position, o.message`,
      values: [nowMs, limit, untilMs],
    });
    rows.sort((a, b) => a.position - b.position);
    return rows.map((r) => ({ id: r.message_id, message: decodeMessage<Message>(r.message) }));
  }

  /** Gives back what was claimed until that very moment. */
  async unclaim(untilMs: number): Promise<void> {
    await this.database.query({ name: 'outbox-unclaim', text: 'update outbox set not_before_ms = 0 where not_before_ms = $1 and attempts = 0', values: [untilMs] });
  }

  /** Which of these are still to be delivered. */
  async present(ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.query<{ message_id: string }>({
      name: 'outbox-present',
      text: 'select message_id from outbox where message_id = any($1::uuid[])',
      values: [ids],
    });
    return new Set(rows.map((r) => r.message_id));
  }

  /** Removes messages that have nothing left to do. */
  async remove(ids: readonly string[]): Promise<void> {
    await this.database.query({ name: 'outbox-remove', text: 'delete from outbox where message_id = any($1::uuid[])', values: [ids] });
  }

  /** Puts off messages whose delivery failed: for `baseMs` the first time, twice as long each time, at most `maxMs`. */
  async putOff(ids: readonly string[], nowMs: number, { baseMs, maxMs }: { baseMs: number; maxMs: number }): Promise<void> {
    await this.database.query({
      name: 'outbox-put-off',
      text: `update outbox set attempts = attempts + 1, not_before_ms = $2 + least($4, $3 * (1 << least(attempts, 20)))::bigint
        where message_id = any($1::uuid[])`,
      values: [ids, nowMs, baseMs, maxMs],
    });
    this.onWaiting(nowMs + baseMs);
  }

  /** Keeps a message for this node until then, should it not die before. False when it is no longer there. */
  async hold(id: string, untilMs: number): Promise<boolean> {
    const rows = await this.database.query({
      name: 'outbox-hold',
      text: 'update outbox set not_before_ms = $2 where message_id = $1 returning 1',
      values: [id, Math.ceil(untilMs)],
    });
    this.onWaiting(untilMs);
    return rows.length > 0;
  }

  /** Puts off a message whose delivery failed until then. */
  async putOffUntil(id: string, untilMs: number): Promise<void> {
    await this.database.query({
      name: 'outbox-put-off-until',
      text: 'update outbox set attempts = attempts + 1, not_before_ms = $2 where message_id = $1',
      values: [id, Math.ceil(untilMs)],
    });
    this.onWaiting(untilMs);
  }

  /**
   * Makes due what nodes were to deliver that are no more: all for a node that is alone, else what is due soon anyway, since others are at some of it. Messages
   * that wait out a failure wait on. Returns how many.
   */
  async releaseAll(nowMs: number, withinMs = Number.MAX_SAFE_INTEGER): Promise<number> {
    const values = [Math.floor(nowMs), Math.min(Math.floor(nowMs) + withinMs, Number.MAX_SAFE_INTEGER)];
    const rows = await this.database.query({ text: 'update outbox set not_before_ms = 0 where not_before_ms > $1 and not_before_ms <= $2 and attempts = 0 returning 1', values });
    return rows.length;
  }

  /** Gives messages back that this node took and will not deliver any more. */
  async release(ids: readonly string[]): Promise<void> {
    await this.database.query({ name: 'outbox-release', text: 'update outbox set not_before_ms = 0 where message_id = any($1::uuid[])', values: [ids] });
  }
}
