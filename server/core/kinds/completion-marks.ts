/** What a completed workflow task leaves on its run: a point to which a reset may go back, and the build of its worker. */
import { fromTimestamp, type HistoryEvent, toNumber } from '../api.js';
import type { RunState } from '../run-state.js';

/** Points kept at most: the newest. */
const RESET_POINTS_MAX = 20;
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

/** Remembers the worker's build, as the search attribute `BuildIds` shows it. It is kept out of the index, which it would burden for every run. */
function markBuildId(state: RunState, event: HistoryEvent): void {
  const stamp = event.workflowTaskCompletedEventAttributes!.workerVersion;
  const mark = stamp?.buildId ? `${stamp.useVersioning ? 'versioned' : UNVERSIONED}:${stamp.buildId}` : UNVERSIONED;
  state.buildIds = [...new Set([...(stamp?.useVersioning ? [] : [UNVERSIONED]), ...state.buildIds, mark])];
}
