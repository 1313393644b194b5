/** Search attributes that the engine itself gives a run: lists of keywords beside those of its own. */
import { api, type Payload } from './api.js';
import type { RunState } from './run-state.js';

const Codec = api.common.v1.SearchAttributes;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What of a run is paused, and what keeps it from going on. No events tell of these. */
const PAUSE_INFO = 'TemporalPauseInfo';
const REPORTED_PROBLEMS = 'TemporalReportedProblems';
const UNTOLD = [PAUSE_INFO, REPORTED_PROBLEMS];

const fieldsOf = (searchAttributes: Uint8Array | null): { [name: string]: Payload } =>
  searchAttributes ? Codec.decode(searchAttributes).indexedFields : {};

const keywordList = (values: readonly string[]): Payload => ({
  metadata: { encoding: bytes('json/plain'), type: bytes('KeywordList') },
  data: bytes(JSON.stringify(values)),
});

/** All of a run's search attributes as describe shows them: those of the index, and the builds that have worked on it. */
export function shownAttributes(state: RunState): { [name: string]: Payload } {
  const checksums = state.resetPoints.map((point) => point.binaryChecksum).filter((checksum) => checksum !== '');
  return { ...(checksums.length > 0 ? { BinaryChecksums: keywordList(checksums) } : {}), ...listedAttributes(state) };
}

/** Those that lists show of it. */
export function listedAttributes({ buildIds, searchAttributes }: Pick<RunState, 'buildIds' | 'searchAttributes'>): { [name: string]: Payload } {
  return { ...(buildIds.length > 0 ? { BuildIds: keywordList(buildIds) } : {}), ...fieldsOf(searchAttributes) };
}

/** Brings the attribute in line with what is paused now: the run itself, some of its activities. */
export function notePauses(state: RunState): void {
  const types = Object.values(state.activities).flatMap((activity) => (activity.paused ? [activity.type] : []));
  const { pause, info } = state;
  const own = pause ? [`Workflow:${info.workflowId}`, ...(pause.reason ? [`Reason:${pause.reason}`] : [])] : [];
  setKeywords(state, PAUSE_INFO, [...own, ...[...new Set(types)].map((type) => `property:activityType=${type}`)]);
}

/** Why the run's workflow tasks keep failing; nothing, when one has got through. */
export const noteProblems = (state: RunState, problems: readonly string[]): void => setKeywords(state, REPORTED_PROBLEMS, problems);

/** Replaces a list; an empty one takes the attribute away. */
function setKeywords(state: RunState, name: string, values: readonly string[]): void {
  const fields = { ...fieldsOf(state.searchAttributes) };
  if (values.length > 0) fields[name] = keywordList(values);
  else delete fields[name];
  state.searchAttributes = encodeFields(fields);
}

const encodeFields = (fields: { [name: string]: Payload }): Uint8Array | null =>
  Object.keys(fields).length > 0 ? Codec.encode({ indexedFields: fields }).finish() : null;

/** The attributes that the history alone determines. */
export function durableAttributes(state: RunState): Uint8Array | null {
  const fields = fieldsOf(state.searchAttributes);
  if (!UNTOLD.some((name) => name in fields)) return state.searchAttributes;
  return encodeFields(Object.fromEntries(Object.entries(fields).filter(([name]) => !UNTOLD.includes(name))));
}
