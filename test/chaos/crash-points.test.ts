/** The engine dies at each of its named points, under load, and a new one takes over: nothing that anyone was told is lost or done twice. */
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';
import { killAfterEach } from '../helpers/perdure-process.js';
import { Calls } from './calls.js';
import { checkDatabase } from './checker.js';
import { NodeProcess } from './cluster.js';
import { Load } from './load.js';
import { ChaosWorker } from './worker.js';

killAfterEach();

let database: TestDatabase | undefined;
afterEach(() => database?.drop());

const LONG = Number(process.env['CHAOS_SECONDS'] ?? 0) >= 60;
/** Each is met at a moment of its own; in the long form (`npm run chaos`) also at the very first transitions and at later ones. */
const POINTS = [
  'before-commit:14',
  'after-commit:2',
  'in-group-commit:6',
  'after-hand-out:13',
  'delivering-message:2',
  'message-delivered:3',
];
if (LONG)
  POINTS.push(
    'before-commit:1',
    'before-commit:60',
    'after-commit:15',
    'after-commit:70',
    'in-group-commit:1',
    'in-group-commit:25',
    'after-hand-out:1',
    'after-hand-out:40',
    'delivering-message:7',
  );
const MIGRATION_POINTS = LONG
  ? [1, 2, 3, 4, 5, 13].flatMap((n) => [`in-migration:${n}`, `between-migrations:${n}`])
  : ['in-migration:4', 'between-migrations:5'];

const CLIENTS = 6;

describe('an engine that dies', () => {
  it.each(POINTS)(
    'at %s',
    async (point) => {
      database = await createDatabase();
      const node = new NodeProcess('node', database.url);
      const calls = new Calls(() => (node.address ? [node.address] : []));
      const worker = new ChaosWorker(calls, 3);
      const load = new Load(calls);
      await node.start(point);
      const working = load.run(CLIENTS, () => load.promised.length < 3 * CLIENTS);
      await node.died();
      await node.start();
      await working;
      await load.askAgain();
      calls.close();
      await worker.stop();
      await node.stop();
      const checked = await checkDatabase(database.url);
      expect(checked.problems).toEqual([]);
      expect(load.losses(checked, worker)).toEqual([]);
      expect(load.results).toBeGreaterThanOrEqual(3 * CLIENTS);
    },
    60_000,
  );
});

describe('an engine that dies while it migrates', () => {
  it.each(MIGRATION_POINTS)('at %s', async (point) => {
    database = await createDatabase({ migrated: false });
    const node = new NodeProcess('node', database.url);
    await node.start(point);
    expect(node.running).toBe(false);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const [kind, hit] = point.split(':') as [string, string];
    const applied = await client.query('select version from perdure_migrations').catch(() => ({ rows: [] }));
    await client.end();
    expect(applied.rows).toHaveLength(kind === 'in-migration' ? Number(hit) - 1 : Number(hit));
    await node.start();
    expect(node.address).not.toBe('');
    await node.stop();
    expect((await checkDatabase(database.url)).problems).toEqual([]);
  });
});
