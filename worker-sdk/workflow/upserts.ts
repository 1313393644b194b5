/** Changing the workflow's own search attributes and memo. */
import type { Payload } from '../definitions/api.js';
import { encodeUnifiedSearchAttributes } from '../payload/search-attribute-payloads.js';
import {
  type SearchAttributePair,
  type SearchAttributes,
  type SearchAttributeUpdatePair,
  TypedSearchAttributes,
} from '../payload/search-attributes.js';
import { currentRun } from './current-run.js';
import { eventGroupMarkers } from './event-groups.js';
import type { RunContext } from './run-context.js';

/**
 * Merges search attributes into the workflow's.
 *
 * @param searchAttributes pairs, null removes (preferred); or a record of lists, an empty list removes
 * @example
 * ```ts
 * upsertSearchAttributes([{ key: defineSearchAttributeKey('Stage', 'KEYWORD'), value: 'paid' }]);
 * ```
 */
export function upsertSearchAttributes(searchAttributes: SearchAttributes | SearchAttributeUpdatePair[]): void {
  const run = currentRun('upsertSearchAttributes()');
  if (searchAttributes === undefined || searchAttributes === null) throw new Error('Expected searchAttributes to be defined');
  if (Array.isArray(searchAttributes)) upsertTyped(run, searchAttributes);
  else upsertUntyped(run, searchAttributes);
}

function upsertTyped(run: RunContext, pairs: SearchAttributeUpdatePair[]): void {
  pushFields(run, encodeUnifiedSearchAttributes(undefined, pairs));
  const untyped: SearchAttributes = { ...run.facts.searchAttributes };
  for (const { key, value } of pairs) {
    if (value === null) delete untyped[key.name];
    else untyped[key.name] = (Array.isArray(value) ? value : [value]) as SearchAttributes[string];
  }
  run.changeInfo({ searchAttributes: untyped, typedSearchAttributes: run.facts.typedSearchAttributes.updateCopy(pairs) });
}

function upsertUntyped(run: RunContext, attributes: SearchAttributes): void {
  const cleared = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, value ?? []]));
  pushFields(run, encodeUnifiedSearchAttributes(cleared as SearchAttributes));
  const untyped: SearchAttributes = { ...run.facts.searchAttributes };
  const updates: SearchAttributeUpdatePair[] = [];
  for (const [name, value] of Object.entries(attributes)) {
    const known = run.facts.typedSearchAttributes.getAll().find(({ key }) => key.name === name)?.key;
    if (!value || value.length === 0) {
      delete untyped[name];
      if (known) updates.push({ key: known, value: null } as SearchAttributeUpdatePair);
      continue;
    }
    untyped[name] = value;
    const key = known ?? TypedSearchAttributes.getKeyFromUntyped(name, value);
    if (key) updates.push({ key, value: key.type === 'KEYWORD_LIST' ? [...value] : value[0] } as SearchAttributePair);
  }
  run.changeInfo({ searchAttributes: untyped, typedSearchAttributes: run.facts.typedSearchAttributes.updateCopy(updates) });
}

function pushFields(run: RunContext, indexedFields: Record<string, Payload>): void {
  run.push({ upsertWorkflowSearchAttributes: { searchAttributes: { indexedFields } }, eventGroupMarkers: eventGroupMarkers() });
}

/** Merges into the workflow's memo, at the first level. `null` and `undefined` remove. */
export function upsertMemo(memo: Record<string, unknown>): void {
  const run = currentRun('upsertMemo()');
  if (memo === undefined || memo === null) throw new Error('Expected memo to be defined');
  const fields = new Map<string, Payload>();
  const merged = new Map<string, unknown>(Object.entries(run.facts.memo ?? {}));
  for (const [name, value] of Object.entries(memo)) {
    // What the server takes for a removal is an empty payload, which `undefined` becomes.
    fields.set(name, run.payloadConverter.toPayload(value ?? undefined, run.context));
    if (value === null || value === undefined) merged.delete(name);
    else merged.set(name, value);
  }
  run.push({ modifyWorkflowProperties: { upsertedMemo: { fields: Object.fromEntries(fields) } }, eventGroupMarkers: eventGroupMarkers() });
  run.changeInfo({ memo: Object.fromEntries(merged) });
}
