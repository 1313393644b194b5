/** What other nodes say, heard on a connection of its own. Only hints: whatever is missed is found by looking. */
import type pg from 'pg';
import type { Change, Engine } from '../engine/engine.js';

export class Listener {
  private client: pg.Client | undefined;
  private stopped = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly onChange: (from: string, change: Change) => void,
    /** After a reconnect: something may have been missed. */
    private readonly onGap: () => void,
  ) {}

  async start(): Promise<void> {
    try {
      const client = await this.engine.database.connect();
      this.client = client;
      client.on('error', (error) => this.lost(error));
      client.on('end', () => this.lost(new Error('the listening connection ended')));
      client.on('notification', (message) => this.heard(message.payload ?? ''));
      await client.query('listen perdure');
      this.onGap();
    } catch (error) {
      this.lost(error as Error);
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    await this.client?.end().catch(() => undefined);
  }

  private lost(error: Error): void {
    if (this.stopped || this.retry) return;
    this.client = undefined;
    this.engine.log.warn({ err: error }, 'the listening connection was lost; it is opened again');
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
