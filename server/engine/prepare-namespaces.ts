/** What the configuration asks for at start: namespaces that must exist, and the search attributes they must have. */
import { enums } from '../core/api.js';
import type { Engine } from './engine.js';
import { addNamespace } from './namespace-calls.js';
import { addAttributes } from './search-attribute-calls.js';

export interface WantedNamespaces {
  readonly namespaces: readonly { readonly name: string; readonly retentionMs: number }[];
  /** Name -> type as people write it: `Keyword`, `Int` … */
  readonly searchAttributes: Readonly<Record<string, string>>;
}

const typeNumber = (name: string): number => {
  const key = `INDEXED_VALUE_TYPE_${name === 'KeywordList' ? 'KEYWORD_LIST' : name.toUpperCase()}`;
  return (enums.IndexedValueType as unknown as Record<string, number>)[key] ?? 0;
};

/** Makes what is missing; what exists is left as it is. Several nodes may do it at once. */
export async function prepareNamespaces(engine: Engine, { namespaces, searchAttributes }: WantedNamespaces): Promise<void> {
  const types = Object.fromEntries(Object.entries(searchAttributes).map(([name, type]) => [name, typeNumber(type)]));
  for (const { name, retentionMs } of namespaces) {
    if (!(await engine.registry.find(name))) {
      const made = addNamespace(engine, { name, retentionMs, description: '', ownerEmail: '', data: {} });
      await made.catch((error: { code?: string }) => {
        if (error.code !== 'ALREADY_EXISTS') throw error; // another node was faster
      });
    }
    if (Object.keys(types).length > 0) await addAttributes(engine, await engine.registry.require(name), types);
  }
}
