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
