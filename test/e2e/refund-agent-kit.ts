/** For the tests of the refund agent: its processes as users start them, the shop's tables, and what history says was executed. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@perdure/sdk/client';
import pg from 'pg';
import type { refundAgent } from '../../examples/refund-agent/workflows.js';
import { Perdure } from '../helpers/perdure-process.js';

const DIST = fileURLToPath(new URL('../../examples/refund-agent/dist/', import.meta.url));

export interface Place {
  readonly databaseUrl: string;
  readonly address: string;
}

/** Processes and connections of one test, ended with it. */
export class Stage {
  private readonly processes: Perdure[] = [];
  private readonly workers = new Set<Perdure>();
  private readonly closing: (() => Promise<unknown>)[] = [];

  constructor(readonly place: Place) {}

  /** An entry point of the example. Models come from `env` alone. */
  start(file: 'seed.js' | 'worker.js' | 'run.js', env: Record<string, string> = {}, ...args: string[]): Perdure {
    const { OPENAI_BASE_URL, OPENAI_API_KEY, PERDURE_MODEL, ...outside } = process.env;
    const child = spawn(process.execPath, [DIST + file, ...args], {
      env: { ...outside, DATABASE_URL: this.place.databaseUrl, PERDURE_ADDRESS: this.place.address, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new Perdure(child);
    this.processes.push(started);
    return started;
  }

  async seed(): Promise<void> {
    const { code, stderr } = await this.start('seed.js').finished();
    if (code !== 0) throw new Error(`seed ended with ${code}: ${stderr}`);
  }

  async worker(env?: Record<string, string>): Promise<Perdure> {
    const worker = this.start('worker.js', env);
    this.workers.add(worker);
    await worker.said(/A worker takes the tasks/, 30_000);
    return worker;
  }

  async killWorkers(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.kill('SIGKILL')));
    this.workers.clear();
  }

  async client(): Promise<Client> {
    const connection = await Connection.connect({ address: this.place.address, connectTimeout: '20 seconds' });
    this.closing.push(() => connection.close());
    return new Client({ connection });
  }

  /** Rows of the shop. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.place.databaseUrl });
    await client.connect();
    try {
      return (await client.query(sql)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  async end(): Promise<void> {
    for (const close of this.closing) await close().catch(() => undefined);
    await Promise.all(this.processes.map((process) => process.kill('SIGKILL')));
  }
}

export const startRun = (client: Client, disputeId: number, more: { approvalTimeout?: '1 second' } = {}) =>
  client.workflow.start<typeof refundAgent>('refundAgent', { workflowId: `refund-dispute-${disputeId}`, taskQueue: 'refund-agent', args: [{ disputeId, ...more }] });

/** Activity types in the order in which they were scheduled, and ids of scheduled events that completed more than once. */
export async function executed(client: Client, workflowId: string): Promise<{ types: string[]; open: number; twice: number[]; attempts: Record<string, number> }> {
  const { events = [] } = await client.workflow.getHandle(workflowId).fetchHistory();
  const types = new Map<number, string>();
  const completed: number[] = [];
  const attempts: Record<string, number> = {};
  for (const event of events ?? []) {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started, activityTaskCompletedEventAttributes: done } = event;
    if (scheduled) types.set(Number(event.eventId), scheduled.activityType?.name ?? '');
    if (started && (started.attempt ?? 1) > 1) attempts[types.get(Number(started.scheduledEventId)) ?? ''] = started.attempt ?? 1;
    if (done) completed.push(Number(done.scheduledEventId));
  }
  return { types: [...types.values()], open: types.size - new Set(completed).size, twice: completed.filter((id, i) => completed.indexOf(id) !== i), attempts };
}
