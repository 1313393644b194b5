/** What PostgreSQL says of its tables' state, and tidying them up. */
import type { Database } from './database.js';

/** Tables that grow and change with the work. */
const TABLES = ['runs_open', 'runs_closed', 'history', 'tasks', 'outbox'] as const;

export interface TableChanges {
  readonly name: (typeof TABLES)[number];
  /** When they were last counted. */
  readonly rows: number;
  readonly dead: number;
  /** Rows that came or changed since they were last looked at. */
  readonly changed: number;
}

export class Upkeep {
  constructor(private readonly database: Database) {}

  async changes(): Promise<TableChanges[]> {
    return this.database.query<{ -readonly [Key in keyof TableChanges]: TableChanges[Key] }>({
      name: 'table-changes',
      text: `select s.relname::text as name, greatest(c.reltuples, 0)::int8 as rows, s.n_dead_tup as dead, greatest(s.n_ins_since_vacuum, s.n_mod_since_analyze) as changed
        from pg_stat_all_tables s join pg_class c on c.oid = s.relid where s.relid = any($1::regclass[]) order by s.relname`,
      values: [[...TABLES]],
    });
  }

  /** Not when somebody else is at it. */
  async vacuum(table: TableChanges['name']): Promise<void> {
    await this.database.query({ text: `vacuum (analyze, skip_locked, parallel 0, truncate false) ${table}` });
  }
}
