/** What a run says about itself while it runs: search attributes and memo. A null payload removes a field. */
import { api, enums, type HistoryEvent, int64, type Payload, type temporal } from '../api.js';
import type { RunState } from '../run-state.js';
import type { Turn } from '../turn.js';

const T = enums.EventType;
const MemoCodec = api.common.v1.Memo;
const SearchAttributesCodec = api.common.v1.SearchAttributes;

type UpsertAttributes = temporal.api.command.v1.IUpsertWorkflowSearchAttributesCommandAttributes;
type ModifyAttributes = temporal.api.command.v1.IModifyWorkflowPropertiesCommandAttributes;

export function upsertSearchAttributes(turn: Turn, attributes: UpsertAttributes, completedEventId: number): void {
  turn.append({
    eventType: T.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    upsertWorkflowSearchAttributesEventAttributes: {
      workflowTaskCompletedEventId: int64(completedEventId),
      searchAttributes: withTypes(attributes.searchAttributes, turn.context.attributeTypes(turn.state.info.namespace)),
    },
  });
}

/** Search attributes with the type that each is registered with, where the worker has not said it. */
function withTypes(
  attributes: UpsertAttributes['searchAttributes'],
  types: Readonly<Record<string, number>>,
): UpsertAttributes['searchAttributes'] {
  const fields = Object.entries(attributes?.indexedFields ?? {}).map(([name, payload]): [string, Payload] => {
    const type = Object.hasOwn(types, name) ? typeName(types[name]) : '';
    return [
      name,
      payload.metadata?.['type']?.length || !type
        ? payload
        : { ...payload, metadata: { ...payload.metadata, type: new TextEncoder().encode(type) } },
    ];
  });
  return { indexedFields: Object.fromEntries(fields) };
}

/** `KeywordList` for the enum value of that type. */
function typeName(type: number | undefined): string {
  if (!type) return '';
  const name: string = enums.IndexedValueType[type] ?? '';
  return name
    .replace('INDEXED_VALUE_TYPE_', '')
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}

export function modifyProperties(turn: Turn, attributes: ModifyAttributes, completedEventId: number): void {
  turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    workflowPropertiesModifiedEventAttributes: {
      workflowTaskCompletedEventId: int64(completedEventId),
      upsertedMemo: attributes.upsertedMemo,
    },
  });
  turn.memoChanged = true;
}

const isNull = (payload: Payload): boolean => {
  const encoding = payload.metadata?.encoding;
  const name = encoding ? new TextDecoder().decode(encoding) : '';
  if (name === 'binary/null' || !payload.data || payload.data.length === 0) return name === 'binary/null' || name === '';
  if (name !== 'json/plain') return false;
  const text = payload.data.length <= 4 ? new TextDecoder().decode(payload.data) : '';
  return text === 'null' || text === '[]';
};

/** Fields with the changes laid over them; a null value takes a field away. */
export function mergeFields(fields: Record<string, Payload>, changes: Record<string, Payload>): Record<string, Payload> {
  const merged = new Map(Object.entries(fields));
  for (const [key, payload] of Object.entries(changes)) {
    if (isNull(payload)) merged.delete(key);
    else merged.set(key, payload);
  }
  return Object.fromEntries(merged);
}

export const propertyEvents = {
  [T.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES](state: RunState, event: HistoryEvent): void {
    const changes = event.upsertWorkflowSearchAttributesEventAttributes!.searchAttributes?.indexedFields ?? {};
    const fields = state.searchAttributes ? SearchAttributesCodec.decode(state.searchAttributes).indexedFields : {};
    state.searchAttributes = SearchAttributesCodec.encode({ indexedFields: mergeFields(fields, changes) }).finish();
  },
  [T.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED](state: RunState, event: HistoryEvent): void {
    const changes = event.workflowPropertiesModifiedEventAttributes!.upsertedMemo?.fields ?? {};
    const fields = state.memo ? MemoCodec.decode(state.memo).fields : {};
    state.memo = MemoCodec.encode({ fields: mergeFields(fields, changes) }).finish();
  },
};
