import { connect, createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createLogger, type Logger } from '../../server/log.js';
import { passes, waitForDatabase } from '../../server/storage/wait-for-database.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase({ migrated: false });

let lines: string[] = [];
afterEach(() => {
  lines = [];
});
const log = (): Logger => createLogger({ level: 'info', format: 'json' }, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) });

const closedPort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });

it('returns at once when the database is there', async () => {
  await waitForDatabase(database.url, { waitMs: 0, log: log() });
  expect(lines).toEqual([]);
});

it('waits for one that is not there yet, says so without the password, and goes on when it comes', async () => {
  const port = await closedPort();
  const waiting = waitForDatabase(`postgres://perdure:secret@127.0.0.1:${port}/${database.name}?sslmode=disable`, { waitMs: Number.POSITIVE_INFINITY, log: log() });
  await until('the first word', () => lines.length > 0);
  expect(lines[0]).toMatch(new RegExp(`waiting for the database "${database.name}" at 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`));
  const socket = `${new URL(database.url).searchParams.get('host')}/.s.PGSQL.5432`;
  const proxy = createServer((client) => {
    const upstream = connect(socket);
    client.pipe(upstream).pipe(client);
    for (const end of [client, upstream]) end.on('error', () => undefined);
  }).listen(port, '127.0.0.1');
  try {
    await waiting;
  } finally {
    proxy.close();
  }
  expect(lines.at(-1)).toMatch(/the database answers, after \d+ s/);
  expect(lines.join()).not.toContain('secret');
});

it('gives up when its time is over', async () => {
  const port = await closedPort();
  await expect(waitForDatabase(`postgres://127.0.0.1:${port}/x`, { waitMs: 100 })).rejects.toThrow(/did not answer within 100 ms .*ECONNREFUSED/);
});

it('stops waiting when told to', async () => {
  const port = await closedPort();
  const controller = new AbortController();
  const waiting = waitForDatabase(`postgres://127.0.0.1:${port}/x`, { waitMs: Number.POSITIVE_INFINITY, log: log(), signal: controller.signal });
  void until('the first word', () => lines.length > 0).then(() => controller.abort());
  await expect(waiting).rejects.toThrow(/abort/i);
});

it('does not wait for a database that will not come: a wrong name', async () => {
  const wrong = database.url.replace(database.name, 'no_such_database');
  await expect(waitForDatabase(wrong, { waitMs: Number.POSITIVE_INFINITY })).rejects.toThrow(/Cannot use the database "no_such_database".*does not exist/);
});

it('waits on when the connection breaks, whenever that is', () => {
  for (const text of ['Connection terminated unexpectedly', 'Client has encountered a connection error and is not queryable', 'Connection terminated due to connection timeout'])
    expect([text, passes(new Error(text))]).toEqual([text, true]);
  expect(passes(new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'))).toBe(false);
});
