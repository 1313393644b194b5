/** Fills the shop's database. Run it as often as you like. */
import { databaseUrl, openShopDatabase } from './shop/database.js';
import { loadShop } from './shop/load.js';

const database = openShopDatabase(databaseUrl());
try {
  const loaded = await loadShop(database);
  const added = loaded.reduce((sum, { added }) => sum + added, 0);
  const counts = loaded.map(({ table, rows }) => `${rows} ${table}`).join(', ');
  console.log(`The shop has ${counts}${added === 0 ? ' (all there already)' : ` (${added} rows loaded)`}.`);
} finally {
  await database.close();
}
