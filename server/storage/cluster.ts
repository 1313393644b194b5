/** The database's own identity. */
import type { Database } from './database.js';
import pg from './driver.js';

/** A database that is the copy of another gets an identity of its own with the first question. */
export async function readClusterId(database: Database): Promise<string> {
  const text = `
    with made as (
      insert into cluster (only_one) select true where not exists (select from cluster)
      on conflict do nothing
      returning cluster_id
    )
    select cluster_id from made union all select cluster_id from cluster`;
  for (;;) {
    const [row] = await database.query<{ cluster_id: string }>({ text });
    if (row) return row.cluster_id; // else another node made it meanwhile, which the next look sees
  }
}

/** Takes the identity away from a database that is there to be copied. */
export async function forgetClusterId(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.query('delete from cluster');
  } finally {
    await client.end();
  }
}
