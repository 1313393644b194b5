/** A database that an earlier commit's code filled under its schema goes on under the present code: what was open ends, what was closed can be read. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enums, type temporal } from '../../server/core/api.js';
import { migrate } from '../../server/storage/migrate.js';
import { killAfterEach } from '../helpers/perdure-process.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { Calls } from './calls.js';
import { checkDatabase } from './checker.js';
import { NodeProcess } from './cluster.js';
import { updateRequest } from './load.js';
import { ChaosWorker, digest, json, QUEUE, SIGNALS } from './worker.js';

const MIGRATIONS = fileURLToPath(new URL('../../migrations/', import.meta.url));
const rowsOf = (version: string): string => readFileSync(fileURLToPath(new URL(`./rows-of-${version}.sql`, import.meta.url)), 'utf8');
/** Versions of the schema of which there are recordings, and what their code did not note in its snapshots. */
const VERSIONS = [
  { version: '0005', younger: ['namesRunTimeout', 'resetPoints', 'buildIds'] },
  { version: '0012', younger: [] },
];

type Started = temporal.api.workflowservice.v1.StartWorkflowExecutionResponse;

killAfterEach();

describe.each(VERSIONS)('a database of the schema $version', ({ version, younger }) => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createDatabase({ migrated: false });
    const earlier = mkdtempSync(join(tmpdir(), 'perdure-migrations-'));
    for (const file of readdirSync(MIGRATIONS))
      if (Number.parseInt(file, 10) <= Number(version)) copyFileSync(join(MIGRATIONS, file), join(earlier, file));
    await migrate(database.url, { directory: earlier });
    rmSync(earlier, { recursive: true });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(rowsOf(version));
    await client.end();
  });
  afterEach(() => database.drop());

  it('survives a death while it is brought up to date, keeps its histories, and its open workflows end', async () => {
    const before = await checkDatabase(database.url, younger);
    expect(before.problems).toEqual([]);
    const node = new NodeProcess('present', database.url);
    await node.start('in-migration'); // the first of those that move its rows
    expect(node.running).toBe(false);
    expect(await checkDatabase(database.url, younger)).toEqual(before);
    await node.start();
    const calls = new Calls(() => [node.address]);
    const worker = new ChaosWorker(calls, 2);
    for (const { workflowId, runId, open, events } of before.runs) {
      if (!open || workflowId.endsWith('-child')) continue;
      const signalled = events.flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
      for (const signalName of SIGNALS) {
        if (signalled.includes(signalName)) continue;
        const request = {
          workflowExecution: { workflowId },
          signalName,
          requestId: `signal-${workflowId}-${signalName}`,
          input: json(signalName),
        };
        expect((await calls.surely('SignalWorkflowExecution', request)).code).toBe('OK');
      }
      expect((await calls.surely('UpdateWorkflowExecution', updateRequest(workflowId, runId))).code).toBe('OK');
    }
    const after = await until(
      'all workflows to end',
      async () => {
        const checked = await checkDatabase(database.url, younger);
        return checked.runs.every((run) => !run.open) ? checked : undefined;
      },
      30_000,
    );
    expect(after.problems).toEqual([]);
    expect(after.runs.every((run) => run.status === enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED)).toBe(true);
    for (const { runId, events } of before.runs) {
      const now = after.runs.find((run) => run.runId === runId)!.events;
      expect(now.slice(0, events.length).map(digest)).toEqual(events.map(digest));
    }
    await sameRequests(calls, before.runs);
    calls.close();
    await worker.stop();
    await node.stop();
  }, 60_000);
});

/** Requests that the earlier code has answered get the same answers. */
async function sameRequests(calls: Calls, runs: readonly { workflowId: string; runId: string }[]): Promise<void> {
  for (const { workflowId, runId } of runs) {
    if (workflowId.endsWith('-child')) continue;
    const request = { workflowId, requestId: `request-${workflowId}`, workflowType: { name: 'Chaos' }, taskQueue: { name: QUEUE } };
    expect((await calls.surely<Started>('StartWorkflowExecution', request)).response?.runId).toBe(runId);
  }
}
