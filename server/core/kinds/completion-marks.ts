/** What a completed workflow task leaves on its run: a point to which a reset may go back, and the builds of its workers. */
import { enums, fromTimestamp, type HistoryEvent, type temporal, toNumber } from '../api.js';
import type { RunState } from '../run-state.js';

type CompletedRequest = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type CompletedAttributes = temporal.api.history.v1.IWorkflowTaskCompletedEventAttributes;

/** Points kept at most: the newest. */
const RESET_POINTS_MAX = 20;
const UNVERSIONED = 'unversioned';

/** The deployment that the worker is of, and how the workflow goes with its versions, as the event tells them. */
export function deploymentOf({ deploymentOptions: options, deployment, versioningBehavior }: CompletedRequest): CompletedAttributes {
  const versioned = options?.workerVersioningMode === enums.WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED;
  const version = versioned
    ? { deploymentName: options.deploymentName, buildId: options.buildId }
    : { deploymentName: deployment?.seriesName, buildId: deployment?.buildId };
  return {
    workerDeploymentName: options?.deploymentName || deployment?.seriesName,
    deploymentVersion: version.deploymentName && version.buildId ? version : undefined,
    versioningBehavior: options && !versioned ? undefined : versioningBehavior,
  };
}

/** Called before the completion itself counts. Most completions come from the build that the last one came from and leave nothing new. */
export function markCompletion(state: RunState, event: HistoryEvent): void {
  const { binaryChecksum, workerVersion, workerDeploymentName, deploymentVersion } = event.workflowTaskCompletedEventAttributes!;
  const version = workerVersion ? { buildId: workerVersion.buildId ?? '', versioned: workerVersion.useVersioning === true } : null;
  const known = state.lastWorkerVersion?.buildId === version?.buildId && state.lastWorkerVersion?.versioned === version?.versioned;
  state.workerDeploymentName = workerDeploymentName ?? '';
  if (state.lastCompletedEventId > 0 && known && !binaryChecksum && !deploymentVersion) return;
  state.lastWorkerVersion = version;
  markResetPoint(state, event);
  markBuildId(state);
}

/** Remembers the first task that each build completed, so that a reset can go back to before a bad one. */
function markResetPoint(state: RunState, event: HistoryEvent): void {
  const attributes = event.workflowTaskCompletedEventAttributes!;
  const binaryChecksum = attributes.binaryChecksum ?? '';
  const buildId = attributes.deploymentVersion?.buildId || attributes.workerVersion?.buildId || '';
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

/** What `BuildIds` shows of a run that has known one build, which is not versioned. */
export const usualBuildIds = (buildId: string): string[] => (buildId ? [UNVERSIONED, `${UNVERSIONED}:${buildId}`] : [UNVERSIONED]);

/** Remembers the worker's build, as the search attribute `BuildIds` shows it. It is kept out of the index, which it would burden for every run. */
function markBuildId(state: RunState): void {
  const { lastWorkerVersion: version } = state;
  const mark = version?.buildId ? `${version.versioned ? 'versioned' : UNVERSIONED}:${version.buildId}` : UNVERSIONED;
  state.buildIds = [...new Set([...(version?.versioned ? [] : [UNVERSIONED]), ...state.buildIds, mark])];
}
