/** Statements by the shortest way: what they bring back, and what becomes of their connection when something breaks. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BinaryArray, BinaryValue } from '../../server/storage/binary-arrays.js';
import { Database, DatabaseLost, sqlState } from '../../server/storage/database.js';
import { useDatabase } from '../helpers/postgres.js';

const postgres = useDatabase();
let database: Database;
const broken: Error[] = [];

beforeEach(() => {
  broken.length = 0;
  database = new Database({ url: postgres.url, poolSize: 4, onError: (error) => broken.push(error) });
});
afterEach(() => database.close());

const PID = { name: 'pid', text: 'select pg_backend_pid()', values: [] };
const pid = async (): Promise<string> => (await database.execute(PID))[0]![0]!;
const end = (backend: string): Promise<unknown> => database.query({ text: 'select pg_terminate_backend($1)', values: [backend] });

it('brings the text of each column, with columns and numbers as parameters, prepared once', async () => {
  const statement = {
    name: 'rows',
    text: 'select v, n, $2::bigint, null::text from unnest($1::text[]) with ordinality as c(v, n) order by n',
    values: [new BinaryArray('text', ['grüße', '', null]), 5_000_000_000],
  };
  const rows = [
    ['grüße', '1', '5000000000', null],
    ['', '2', '5000000000', null],
    [null, '3', '5000000000', null],
  ];
  expect(await database.execute(statement)).toEqual(rows);
  expect(await database.execute(statement)).toEqual(rows);
  const backend = await pid();
  expect(await database.execute({ name: 'prepared', text: "select name from pg_prepared_statements where name = 'rows'", values: [] })).toEqual([['rows']]);
  expect(await pid()).toBe(backend);
});

it('takes single values of each type, and none', async () => {
  const uuid = '01a20df8-a9f2-7fe2-9136-016fe9446d9d';
  const statement = {
    name: 'values',
    text: 'select $1::boolean, $2::smallint, $3::int, $4::bigint, $5::real, $6::uuid, $7::text, $8::bytea, $9::text',
    values: [
      new BinaryValue('boolean', true), new BinaryValue('smallint', -3), new BinaryValue('int', 70_000), new BinaryValue('bigint', -5_000_000_000), new BinaryValue('real', 1.5),
      new BinaryValue('uuid', uuid), new BinaryValue('text', 'grüße'), new BinaryValue('bytea', Buffer.from([0, 255])), null,
    ],
  };
  expect(await database.execute(statement)).toEqual([['t', '-3', '70000', '-5000000000', '1.5', uuid, 'grüße', '\\x00ff', null]]);
});

it('several at once each have a connection, and none is kept from the others for ever', async () => {
  const sleeping = { name: 'sleeping', text: 'select pg_backend_pid() from pg_sleep(0.05)', values: [] };
  const backends = await Promise.all(Array.from({ length: 6 }, async () => (await database.execute(sleeping))[0]![0]));
  expect(new Set(backends).size).toBeGreaterThan(1);
  expect(await database.query({ text: 'select 1 as one' })).toEqual([{ one: 1 }]);
});

it('the smallest pool has a connection left for everything else', async () => {
  const small = new Database({ url: postgres.url, poolSize: 2, onError: () => undefined });
  for (let i = 0; i < 3; i++) {
    await Promise.all([small.execute(PID), small.query({ text: 'select 1' }), small.execute(PID), small.transaction((query) => query({ text: 'select 1' }))]);
  }
  await small.close();
});

it('an error of the statement is its own, and the connection goes on', async () => {
  const backend = await pid();
  const torn = { name: 'torn', text: 'select 1 / $1::int', values: [0] };
  for (let i = 0; i < 2; i++) expect(sqlState(await database.execute(torn).catch((error: unknown) => error))).toBe('22012');
  const unknown = { name: 'unknown', text: 'select * from no_such_table', values: [] };
  for (let i = 0; i < 2; i++) expect(sqlState(await database.execute(unknown).catch((error: unknown) => error))).toBe('42P01');
  expect(await pid()).toBe(backend);
});

it('a connection that ends while nothing is under way is replaced, and told of', async () => {
  const backend = await pid();
  await end(backend);
  await vi.waitFor(() => expect(broken.length).toBeGreaterThan(0));
  expect(await pid()).not.toBe(backend);
});

it('a connection that ends under a statement leaves its caller to come again, on a new one', async () => {
  const backend = await pid();
  const stuck = database.execute({ name: 'stuck', text: 'select 1 from pg_sleep(60)', values: [] });
  const lost = expect(stuck).rejects.toThrow(DatabaseLost);
  await end(backend);
  await lost;
  expect(await pid()).not.toBe(backend);
});

it('a statement that is not answered in time counts as lost, with its connection', async () => {
  const hasty = new Database({ url: postgres.url, poolSize: 4, timeoutMs: 200, onError: () => undefined });
  const before = (await hasty.execute(PID))[0]![0];
  await expect(hasty.execute({ name: 'slow', text: 'select 1 from pg_sleep(2)', values: [] })).rejects.toThrow(DatabaseLost);
  expect((await hasty.execute(PID))[0]![0]).not.toBe(before);
  await hasty.close();
});
