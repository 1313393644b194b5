/** What a completed workflow task leaves on its run: a point to which a reset may go back, and the build of the worker as a search attribute. */
import { api, fromTimestamp, type HistoryEvent, type Payload, toNumber } from '../api.js';
import type { RunState } from '../run-state.js';

const SearchAttributesCodec = api.common.v1.SearchAttributes;

/** Points kept at most: the newest. */
const RESET_POINTS_MAX = 20;
const BUILD_IDS = 'BuildIds';
const UNVERSIONED = 'unversioned';

/** Called before the completion itself counts. Most completions come from the build that the last one came from and leave nothing new. */
export function markCompletion(state: RunState, event: HistoryEvent): void {
  const { binaryChecksum, workerVersion } = event.workflowTaskCompletedEventAttributes!;
  const buildId = workerVersion?.buildId ?? '';
  if (state.lastCompletedEventId > 0 && buildId === state.lastWorkerBuildId && !binaryChecksum) return;
  state.lastWorkerBuildId = buildId;
  markResetPoint(state, event);
  markBuildId(state, event);
}

/** Remembers the first task that each build completed, so that a reset can go back to before a bad one. */
function markResetPoint(state: RunState, event: HistoryEvent): void {
  const attributes = event.workflowTaskCompletedEventAttributes!;
  const binaryChecksum = attributes.binaryChecksum ?? '';
  const buildId = attributes.workerVersion?.buildId ?? '';
  if (state.resetPoints.some((point) => point.binaryChecksum === binaryChecksum && point.buildId === buildId)) return;
  state.resetPoints.push({
    buildId,
    binaryChecksum,
    runId: state.info.runId,
    firstWorkflowTaskCompletedId: toNumber(event.eventId),
    createMs: fromTimestamp(event.eventTime),
    expireMs: 0,
    resettable: nothingUnderWay(state),
  });
  if (state.resetPoints.length > RESET_POINTS_MAX) state.resetPoints.splice(0, state.resetPoints.length - RESET_POINTS_MAX);
}

/** A reset to here would cut nothing off that other runs know of. */
const nothingUnderWay = ({ children, externalSignals, externalCancels }: RunState): boolean =>
  [children, externalSignals, externalCancels].every((pending) => Object.keys(pending).length === 0);

/** Adds the worker's build to the search attribute `BuildIds`. */
function markBuildId(state: RunState, event: HistoryEvent): void {
  const stamp = event.workflowTaskCompletedEventAttributes!.workerVersion;
  const mark = stamp?.buildId ? `${stamp.useVersioning ? 'versioned' : UNVERSIONED}:${stamp.buildId}` : UNVERSIONED;
  const fields = state.searchAttributes ? SearchAttributesCodec.decode(state.searchAttributes).indexedFields : {};
  const known = buildIdsOf(fields[BUILD_IDS]);
  const marks = new Set([...(stamp?.useVersioning ? [] : [UNVERSIONED]), ...known, mark]);
  if (marks.size === known.length) return;
  state.searchAttributes = SearchAttributesCodec.encode({ indexedFields: { ...fields, [BUILD_IDS]: keywordList([...marks]) } }).finish();
}

const buildIdsOf = (payload: Payload | undefined): string[] => (payload?.data ? (JSON.parse(new TextDecoder().decode(payload.data)) as string[]) : []);

function keywordList(values: string[]): Payload {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  return { metadata: { encoding: bytes('json/plain'), type: bytes('KeywordList') }, data: bytes(JSON.stringify(values)) };
}
