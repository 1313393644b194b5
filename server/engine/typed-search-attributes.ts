/** Search attributes of a start with the type that their namespace knows written into each value, for readers that know no namespace. */
import type { SearchAttributes } from '../core/validate/search-attributes.js';
import { typeName } from '../core/validate/search-value.js';

export function typedSearchAttributes(
  attributes: SearchAttributes | null | undefined,
  types: Readonly<Record<string, number>>,
): SearchAttributes | null | undefined {
  if (!attributes?.indexedFields) return attributes;
  const indexedFields = Object.fromEntries(
    Object.entries(attributes.indexedFields).map(([name, payload]) => {
      const type = Object.hasOwn(types, name) ? types[name] : undefined;
      if (type === undefined || payload.metadata?.type) return [name, payload];
      return [name, { ...payload, metadata: { ...payload.metadata, type: Buffer.from(typeName(type)) } }];
    }),
  );
  return { indexedFields };
}
