/** Tells other nodes what changed, gathered over a moment into one notification. Silent while this node is alone. */
import type { Commits } from '../storage/commit.js';
import type { Change, EngineLog } from './engine.js';

/** PostgreSQL takes 8,000 bytes in a notification. */
const PAYLOAD_MAX = 7_000;

/** The text of a notification. */
export function noticeOf(nodeId: string, changes: Change[]): string {
  return JSON.stringify({ from: nodeId, changes });
}

export class Announcer {
  private pending = new Map<string, Change>();
  private sending = false;
  /** Set by the node watch. */
  others = false;

  constructor(
    private readonly nodeId: string,
    private readonly commits: Commits,
    private readonly log: EngineLog,
  ) {}

  add(change: Change): void {
    if (!this.others && change.kind !== 'namespaces' && change.kind !== 'queue-configs') return;
    // of a run the latest word is enough
    this.pending.set(change.kind === 'run' ? change.runId : JSON.stringify(change), change);
    if (!this.sending) void this.send();
  }

  private async send(): Promise<void> {
    this.sending = true;
    await Promise.resolve(); // what the same moment brings goes along
    while (this.pending.size > 0) {
      const changes: Change[] = [];
      let bytes = 100;
      for (const [key, change] of this.pending) {
        const { length } = change.kind === 'run' ? JSON.stringify(change) : key;
        if (bytes + length > PAYLOAD_MAX) break;
        bytes += length + 1;
        changes.push(change);
        this.pending.delete(key);
      }
      try {
        await this.commits.notify(noticeOf(this.nodeId, changes));
      } catch (error) {
        this.log.debug({ err: error }, 'a notification was not sent; others find the change by looking');
      }
    }
    this.sending = false;
  }
}
