/** The namespaces as this node knows them: by name and id, read from the database when a name is new or a change was announced. */
import { namespaceNotFound } from '../core/errors.js';
import { isUuid } from '../core/validate/execution.js';
import { requireNamespace } from '../core/validate/namespace.js';
import type { CustomSearchAttributes } from '../core/validate/search-attributes.js';
import type { Namespace, Namespaces } from '../storage/namespaces.js';

/** Reserved: nobody may register or delete it. */
export const SYSTEM_NAMESPACE = 'temporal-system';
const NAME_LENGTH_MAX = 1000;

/** The custom search attributes of a namespace as the validators want them. */
export const customAttributes = (namespace: Namespace): CustomSearchAttributes => ({
  namespace: namespace.name,
  types: new Map(Object.entries(namespace.searchAttributes)),
});

/** A namespace that was read longer ago than this is read again. */
const FRESH_MS = 10_000;

interface Known {
  namespace: Namespace;
  readMs: number;
}

export class NamespaceRegistry {
  private readonly byName = new Map<string, Known>();
  private readonly idToName = new Map<string, string>();

  constructor(
    private readonly storage: Namespaces,
    private readonly now: () => number,
  ) {}

  /** The namespace of a request. Throws INVALID_ARGUMENT for an empty name and NOT_FOUND for an unknown one. */
  async require(name: string | null | undefined): Promise<Namespace> {
    const asked = requireNamespace(name, NAME_LENGTH_MAX);
    const namespace = await this.find(asked);
    if (!namespace) throw namespaceNotFound(asked);
    return namespace;
  }

  /** The namespace of that name, if this node has read it lately. */
  known(name: string): Namespace | undefined {
    const known = this.byName.get(name);
    return known && this.now() - known.readMs < FRESH_MS ? known.namespace : undefined;
  }

  async find(name: string): Promise<Namespace | undefined> {
    if (name.includes('\0')) return undefined; // no stored name has one, and PostgreSQL does not take the question
    return this.known(name) ?? this.remember(await this.storage.byName(name));
  }

  async byId(id: string): Promise<Namespace | undefined> {
    if (!isUuid(id)) return undefined;
    const name = this.idToName.get(id);
    return (name ? this.known(name) : undefined) ?? this.remember(await this.storage.byId(id));
  }

  /** What is known without asking the database. */
  peek(name: string): Namespace | undefined {
    return this.byName.get(name)?.namespace;
  }

  /** Retention of a namespace as far as this node knows it; namespaces of runs that move are known. */
  retentionMs(id: string): number {
    const name = this.idToName.get(id);
    return (name ? this.byName.get(name)?.namespace.retentionMs : undefined) ?? 0;
  }

  forgetAll(): void {
    this.byName.clear();
    this.idToName.clear();
  }

  private remember(namespace: Namespace | undefined): Namespace | undefined {
    if (!namespace) return undefined;
    this.byName.set(namespace.name, { namespace, readMs: this.now() });
    this.idToName.set(namespace.id, namespace.name);
    return namespace;
  }
}
