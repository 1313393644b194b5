/** What other nodes say, heard on a connection of its own. Only hints: whatever is missed is found by looking. */
import type pg from 'pg';
import type { Change, Engine } from '../engine/engine.js';

/** A connection on which nothing is said is asked so often whether it is still there: networks forget those that are silent, and tell nobody. */
const PING_MS = 15_000;

export class Listener {
  private client: pg.Client | undefined;
  private stopped = false;
  private retry: NodeJS.Timeout | undefined;
  private ping: NodeJS.Timeout | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly onChange: (from: string, change: Change) => void,
    /** After a reconnect: something may have been missed. */
    private readonly onGap: () => void,
    private readonly pingMs = PING_MS,
  ) {}

  async start(): Promise<void> {
    try {
      const client = await this.engine.database.connect();
      this.client = client;
      client.on('error', (error) => this.lost(error, client));
      client.on('end', () => this.lost(new Error('the listening connection ended'), client));
      client.on('notification', (message) => this.heard(message.payload ?? ''));
      await client.query('listen perdure');
      this.askLater(client);
      this.onGap();
    } catch (error) {
      this.lost(error as Error, this.client);
    }
  }

  private askLater(client: pg.Client): void {
    if (this.stopped || client !== this.client) return;
    this.ping = setTimeout(() => {
      client.query('select 1').then(
        () => this.askLater(client),
        (error: Error) => {
          this.lost(error, client);
          client.end().catch(() => undefined);
        },
      );
    }, this.pingMs);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    clearTimeout(this.ping);
    await this.client?.end().catch(() => undefined);
  }

  private lost(error: Error, client: pg.Client | undefined): void {
    if (this.stopped || this.retry || client !== this.client) return;
    this.client = undefined;
    clearTimeout(this.ping);
    this.engine.log.warn({ why: error.message }, 'the listening connection was lost; it is opened again');
    this.retry = setTimeout(() => {
      this.retry = undefined;
      void this.start();
    }, 500);
  }

  private heard(payload: string): void {
    try {
      const { from, changes } = JSON.parse(payload) as { from: string; changes: Change[] };
      if (from === this.engine.nodeId) return;
      for (const change of changes) this.onChange(from, change);
    } catch (error) {
      this.engine.log.warn({ err: error }, 'a notification could not be read');
    }
  }
}
