/** The search attributes that every namespace has, and which of them a caller may set. */
import { enums } from './api.js';

const T = enums.IndexedValueType;
const { INDEXED_VALUE_TYPE_BOOL: Bool, INDEXED_VALUE_TYPE_DATETIME: Datetime, INDEXED_VALUE_TYPE_INT: Int } = T;
const { INDEXED_VALUE_TYPE_KEYWORD: Keyword, INDEXED_VALUE_TYPE_KEYWORD_LIST: KeywordList } = T;

/** Facts of the run itself; the engine writes them. */
export const SYSTEM_ATTRIBUTES: ReadonlyMap<string, number> = new Map([
  ['WorkflowId', Keyword],
  ['RunId', Keyword],
  ['WorkflowType', Keyword],
  ['StartTime', Datetime],
  ['ExecutionTime', Datetime],
  ['CloseTime', Datetime],
  ['ExecutionStatus', Keyword],
  ['TaskQueue', Keyword],
  ['HistoryLength', Int],
  ['HistorySizeBytes', Int],
  ['ExecutionDuration', Int],
  ['StateTransitionCount', Int],
  ['ParentWorkflowId', Keyword],
  ['ParentRunId', Keyword],
  ['RootWorkflowId', Keyword],
  ['RootRunId', Keyword],
]);

/** Stored with the custom ones; written by SDKs and by features of the engine. */
export const PREDEFINED_ATTRIBUTES: ReadonlyMap<string, number> = new Map([
  ['TemporalChangeVersion', KeywordList],
  ['BinaryChecksums', KeywordList],
  ['BuildIds', KeywordList],
  ['BatcherNamespace', Keyword],
  ['BatcherUser', Keyword],
  ['TemporalScheduledStartTime', Datetime],
  ['TemporalScheduledById', Keyword],
  ['TemporalSchedulePaused', Bool],
  ['TemporalNamespaceDivision', Keyword],
  ['TemporalPauseInfo', KeywordList],
  ['TemporalReportedProblems', KeywordList],
  ['TemporalWorkerDeploymentVersion', Keyword],
  ['TemporalWorkflowVersioningBehavior', Keyword],
  ['TemporalWorkerDeployment', Keyword],
  ['TemporalUsedWorkerDeploymentVersions', KeywordList],
  ['TemporalExternalPayloadCount', Int],
  ['TemporalExternalPayloadSizeBytes', Int],
]);

/** Predefined ones that a request or a command may set; the others only the engine. */
export const SETTABLE_PREDEFINED: ReadonlySet<string> = new Set([
  'TemporalChangeVersion',
  'BinaryChecksums',
  'BuildIds',
  'BatcherNamespace',
  'BatcherUser',
  'TemporalScheduledStartTime',
  'TemporalScheduledById',
  'TemporalSchedulePaused',
  'TemporalNamespaceDivision',
  'TemporalPauseInfo',
  'TemporalReportedProblems',
]);

const RESERVED = new Set(['NamespaceId', 'MemoEncoding', 'Memo', 'VisibilityTaskKey']);

/** Names that no custom search attribute may have. */
export const isReservedAttribute = (name: string): boolean =>
  SYSTEM_ATTRIBUTES.has(name) || PREDEFINED_ATTRIBUTES.has(name) || RESERVED.has(name) || name.startsWith('Temporal');
