/** The connection that listens notices a network that was cut without a word, and hears again once it has healed. */
import pg from 'pg';
import { expect, it } from 'vitest';
import type { Change, Engine } from '../../server/engine/engine.js';
import { Listener } from '../../server/loops/listener.js';
import { Database } from '../../server/storage/database.js';
import { Network } from '../chaos/network.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();

it('is opened again when its pings are not answered', async () => {
  const network = await Network.to(database.url);
  const through = new Database({ url: network.url, poolSize: 2, timeoutMs: 300, onError: () => undefined });
  const heard: Change[] = [];
  let warnings = 0;
  const engine = { database: through, nodeId: 'me', log: { warn: () => warnings++ } } as unknown as Engine;
  let gaps = 0;
  const listener = new Listener(engine, (_from, change) => heard.push(change), () => gaps++, 50);
  await listener.start();
  network.cut();
  await until('the loss to be noticed', () => warnings > 0);
  network.heal();
  await until('it to listen again', () => gaps === 2);
  const speaker = new pg.Client({ connectionString: database.url });
  await speaker.connect();
  await speaker.query("select pg_notify('perdure', $1)", [JSON.stringify({ from: 'other', changes: [{ kind: 'namespaces' }] })]);
  await until('the notification', () => heard.length > 0);
  expect(heard).toEqual([{ kind: 'namespaces' }]);
  await speaker.end();
  await listener.stop();
  await through.close();
  await network.close();
});
