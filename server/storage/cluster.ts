/** The database's own identity. */
import type { Database } from './database.js';

export async function readClusterId(database: Database): Promise<string> {
  const rows = await database.query<{ cluster_id: string }>({ text: 'select cluster_id from cluster' });
  return rows[0]!.cluster_id;
}
