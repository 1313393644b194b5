/** A network between a node and its database that is cut without a word: statements end, and those after it has healed are answered. */
import { expect, it } from 'vitest';
import { Database, DatabaseLost } from '../../server/storage/database.js';
import { Network } from '../chaos/network.js';
import { useDatabase } from '../helpers/postgres.js';

const database = useDatabase();

it('ends statements as lost, on connections that were there and on new ones', async () => {
  const network = await Network.to(database.url);
  const through = new Database({ url: network.url, poolSize: 2, timeoutMs: 300, onError: () => undefined });
  const ask = () => through.query<{ n: number }>({ text: 'select 1 as n' });
  expect(await ask()).toEqual([{ n: 1 }]);
  network.cut();
  for (let i = 0; i < 3; i++) {
    await expect(ask()).rejects.toBeInstanceOf(DatabaseLost);
  }
  network.heal();
  expect(await ask()).toEqual([{ n: 1 }]);
  await through.close();
  await network.close();
});

it('is noticed long before statements run into their deadline, by what it does not say', async () => {
  const network = await Network.to(database.url);
  const lost: string[] = [];
  const through = new Database({ url: network.url, poolSize: 4, silentMs: 200, onError: ({ message }) => lost.push(message) });
  const ask = () => through.query<{ n: number }>({ text: 'select 1 as n' });
  await Promise.all([ask(), ask()]); // one of them is idle when it happens
  network.cut();
  const cut = performance.now();
  await expect(ask()).rejects.toBeInstanceOf(DatabaseLost);
  expect(performance.now() - cut).toBeLessThan(3_000);
  network.heal();
  expect(await ask()).toEqual([{ n: 1 }]);
  await through.close();
  await network.close();
});

it('is not taken for cut while the database merely takes its time', async () => {
  const network = await Network.to(database.url);
  const through = new Database({ url: network.url, poolSize: 2, silentMs: 100, onError: () => undefined });
  expect(await through.query({ text: 'select 1 as n from pg_sleep(1.5)' })).toEqual([{ n: 1 }]);
  await through.close();
  await network.close();
});
