/** Namespaces: rooms of their own for workflows, with a retention and custom search attributes. */
import type { Database } from './database.js';

export interface Namespace {
  id: string;
  name: string;
  /** temporal.api.enums.v1.NamespaceState. */
  state: number;
  retentionMs: number;
  description: string;
  ownerEmail: string;
  data: Record<string, string>;
  settings: Record<string, unknown>;
  /** Custom search attributes: name -> IndexedValueType. */
  searchAttributes: Record<string, number>;
  createdMs: number;
}

interface Columns extends Record<string, unknown> {
  namespace_id: string;
  name: string;
  state: number;
  retention_ms: number;
  description: string;
  owner_email: string;
  data: Record<string, string>;
  settings: Record<string, unknown>;
  search_attributes: Record<string, number>;
  created_ms: number;
}

const namespace = (c: Columns): Namespace => ({
  id: c.namespace_id,
  name: c.name,
  state: c.state,
  retentionMs: c.retention_ms,
  description: c.description,
  ownerEmail: c.owner_email,
  data: c.data,
  settings: c.settings,
  searchAttributes: c.search_attributes,
  createdMs: c.created_ms,
});

export class Namespaces {
  constructor(private readonly database: Database) {}

  async all(): Promise<Namespace[]> {
    return (await this.database.query<Columns>({ name: 'namespaces-all', text: 'select * from namespaces order by name' })).map(namespace);
  }

  async byName(name: string): Promise<Namespace | undefined> {
    const rows = await this.database.query<Columns>({ name: 'namespace-by-name', text: 'select * from namespaces where name = $1', values: [name] });
    return rows[0] && namespace(rows[0]);
  }

  async byId(id: string): Promise<Namespace | undefined> {
    const rows = await this.database.query<Columns>({ name: 'namespace-by-id', text: 'select * from namespaces where namespace_id = $1', values: [id] });
    return rows[0] && namespace(rows[0]);
  }

  /** False when the name is taken. */
  async insert(n: Namespace): Promise<boolean> {
    const rows = await this.database.query({
      name: 'namespace-insert',
      text: `insert into namespaces (namespace_id, name, state, retention_ms, description, owner_email, data, settings, search_attributes, created_ms, updated_ms)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) on conflict do nothing returning namespace_id`,
      values: [n.id, n.name, n.state, n.retentionMs, n.description, n.ownerEmail, n.data, n.settings, n.searchAttributes, n.createdMs],
    });
    return rows.length > 0;
  }

  /**
   * Changes a namespace while nobody else does: what two callers change at the same time is changed one after the other, each on what the
   * other left. Undefined when there is no such namespace any more; what `edit` throws changes nothing.
   */
  change(id: string, nowMs: number, edit: (current: Namespace) => Namespace): Promise<Namespace | undefined> {
    return this.database.transaction(async (query) => {
      const [row] = (await query({ text: 'select * from namespaces where namespace_id = $1 for update', values: [id] })) as Columns[];
      if (!row) return undefined;
      const n = edit(namespace(row));
      await query({
        text: `update namespaces set name = $2, state = $3, retention_ms = $4, description = $5, owner_email = $6, data = $7, settings = $8,
          search_attributes = $9, updated_ms = $10 where namespace_id = $1`,
        values: [n.id, n.name, n.state, n.retentionMs, n.description, n.ownerEmail, n.data, n.settings, n.searchAttributes, nowMs],
      });
      return n;
    });
  }
}
