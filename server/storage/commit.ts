/** Writes transitions, those of many runs in one round trip and one commit, each with its own compare-and-set. */
import { generalStatement } from './commit-general.js';
import type { CommitItem, CommitResult } from './commit-item.js';
import { isSimple, simpleStatement } from './commit-simple.js';
import { type Database, sqlState } from './database.js';

/** For so long the node that sends a message is left to deliver it; then any node may. */
export const SENDER_DELIVERS_MS = 3_000;

/** What a statement ends with that finds itself unable to write an item alone. */
const DIVISION_BY_ZERO = '22012';

interface QueuedRow {
  task_id: number;
  run_id: string;
  event_id: number;
  kind: number;
}

type GeneralRow = { item: number; result: CommitResult } | (QueuedRow & { item: null });

export class Commits {
  constructor(private readonly database: Database) {}

  /** Groups that are best written apart, at the same time: what changes one run each, and what does not. */
  static apart<T extends { item: CommitItem }>(group: readonly T[]): T[][] {
    const simple = new Map<string, T>();
    const others: T[] = [];
    for (const waiting of group) {
      const runId = waiting.item.runs[0]?.state.info.runId ?? '';
      if (isSimple(waiting.item) && !simple.has(runId)) simple.set(runId, waiting);
      else others.push(waiting);
    }
    return [[...simple.values()], others].filter((part) => part.length > 0);
  }

  /** Writes a group. When the statement fails as a whole (two items at odds), the caller tries them one by one. */
  async write(items: readonly CommitItem[], nowMs: number): Promise<CommitResult[]> {
    if (!items.every(isSimple)) return this.writeAny(items, nowMs);
    try {
      return await this.writeSimple(items, nowMs);
    } catch (error) {
      if (sqlState(error) !== DIVISION_BY_ZERO) throw error;
      return this.writeAny(items, nowMs);
    }
  }

  private async writeSimple(items: readonly CommitItem[], nowMs: number): Promise<CommitResult[]> {
    const rows = await this.database.execute(simpleStatement(items, nowMs, nowMs + SENDER_DELIVERS_MS));
    const done = new Set<string>();
    const queued: QueuedRow[] = [];
    for (const [runId, taskId, eventId, kind] of rows) {
      if (taskId) queued.push({ task_id: Number(taskId), run_id: runId!, event_id: Number(eventId), kind: Number(kind) });
      else done.add(runId!);
    }
    if (queued.length > 0) nameTasks(items, queued);
    return items.map((item) => (done.has(item.runs[0]!.state.info.runId) ? 'done' : 'conflict'));
  }

  private async writeAny(items: readonly CommitItem[], nowMs: number): Promise<CommitResult[]> {
    const rows = (await this.database.query(generalStatement(items, nowMs, nowMs + SENDER_DELIVERS_MS))) as unknown as GeneralRow[];
    const results: CommitResult[] = items.map(() => 'conflict');
    const queued: QueuedRow[] = [];
    for (const row of rows) {
      if (row.item === null) queued.push(row);
      else results[row.item] = row.result;
    }
    if (queued.length > 0) nameTasks(items, queued);
    return results;
  }

  /** Wakes other nodes; a hint only, so nothing is lost when it is not flushed to disk. */
  async notify(payload: string): Promise<void> {
    await this.database.query({ name: 'notify', text: "select set_config('synchronous_commit', 'off', true), pg_notify('perdure', $1)", values: [payload] });
  }
}

/** Tells the tasks that this node keeps which rows they are. */
function nameTasks(items: readonly CommitItem[], rows: readonly QueuedRow[]): void {
  const ids = new Map(rows.map((r) => [`${r.kind}/${r.run_id}/${r.event_id}`, r.task_id]));
  for (const item of items) {
    for (const task of item.tasks) task.taskId = ids.get(`${task.kind}/${task.runId}/${task.eventId}`);
  }
}
