/**
 * Many runs, quickly: rows of a real run copied in SQL, each copy with a workflow id, a run id and times of its own. Ids keep their length, so that they can be
 * replaced inside encoded events as well.
 */
import { withDatabase } from './database.mjs';

const PER_STATEMENT = 10_000;

/** Replaces the text $a by the text $b (of the same length) in bytes. */
const swap = (bytes, from, to) => `decode(replace(encode(${bytes}, 'hex'), encode(convert_to(${from}, 'UTF8'), 'hex'), encode(convert_to(${to}, 'UTF8'), 'hex')), 'hex')`;

/** Columns of a table but for those named. */
async function columnsOf(client, table) {
  const { rows } = await client.query(`select column_name as name from information_schema.columns where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER' order by ordinal_position`, [table]);
  return rows.map((row) => row.name);
}

/**
 * @param workflowId of the run to copy; its length stays that of the copies, and it must end with `-00000000`
 * @param from number of the first copy
 * @param apartMs each copy lies so much further in the past
 */
export async function copyRun(databaseUrl, workflowId, from, count, progress = () => undefined, apartMs = 0) {
  await withDatabase(databaseUrl, async (client) => {
    const template = (await client.query('select run_id::text as run_id from runs where workflow_id = $1', [workflowId])).rows[0];
    // version 7 ids of the same moment, told apart by their last digits
    const copyId = `(left('${template.run_id}', 24) || lpad(to_hex(i), 12, '0'))`;
    const copyWorkflow = `('${workflowId.slice(0, -8)}' || lpad(i::text, 8, '0'))`;
    const inBytes = (column) => swap(swap(`t.${column}`, `'${template.run_id}'`, copyId), `'${workflowId}'`, copyWorkflow);
    const value = (column) => {
      if (column === 'run_id') return `${copyId}::uuid`;
      if (column === 'workflow_id') return copyWorkflow;
      if (['info', 'snapshot', 'events'].includes(column)) return inBytes(column);
      if (['start_ms', 'execution_ms', 'close_ms'].includes(column)) return `t.${column} - i::int8 * ${apartMs}`;
      return `t.${column}`;
    };
    // in the order of the runs, as rows of a run lie together when it has run
    for (const table of ['runs', 'history']) {
      const columns = await columnsOf(client, table);
      for (let done = 0; done < count; done += PER_STATEMENT) {
        const [first, last] = [from + done, from + Math.min(count, done + PER_STATEMENT) - 1];
        await client.query(
          `insert into ${table} (${columns.join(', ')}) select ${columns.map(value).join(', ')} from ${table} t, generate_series(${first}, ${last}) i where t.run_id = '${template.run_id}' order by i${table === 'history' ? ', first_event_id' : ''}`,
        );
        progress(`${table}: ${done + last - first + 1} of ${count}`);
      }
    }
    await client.query('vacuum analyze runs, history');
  });
}
