/** Named limits of the engine, with the defaults that users of the open API know. Sizes in bytes, times in milliseconds. */
import type { AddressRule } from './callback-addresses.js';

export interface Limits {
  readonly idLengthMax: number;
  readonly payloadSizeWarn: number;
  readonly payloadSizeMax: number;
  readonly memoSizeMax: number;
  /** The failure of an attempt that is tried again; a larger one is kept in part. */
  readonly attemptFailureSizeMax: number;
  readonly historyEventsWarn: number;
  readonly historyEventsSuggest: number;
  readonly historyEventsMax: number;
  readonly historySizeWarn: number;
  readonly historySizeSuggest: number;
  readonly historySizeMax: number;
  /** What the engine keeps of one open run besides its history. */
  readonly stateSizeMax: number;
  readonly pendingActivitiesMax: number;
  readonly pendingChildrenMax: number;
  readonly pendingSignalsMax: number;
  readonly pendingCancelsMax: number;
  readonly pendingApprovalsMax: number;
  readonly signalsPerRunMax: number;
  readonly bufferedEventsMax: number;
  readonly bufferedBytesMax: number;
  readonly updatesInFlightMax: number;
  /** Requests of a run's updates that are not completed, together. */
  readonly updatesInFlightSizeMax: number;
  readonly updatesTotalMax: number;
  readonly updateSuggestRatio: number;
  readonly defaultWorkflowTaskTimeoutMs: number;
  readonly workflowTaskTimeoutMaxMs: number;
  /** How long heartbeats of one workflow task (forced new tasks without progress) may go on. */
  readonly workflowTaskHeartbeatTimeoutMs: number;
  /** From this attempt on, a failing workflow task waits longer between attempts. */
  readonly workflowTaskRetryBackoffFrom: number;
  readonly speculativeScheduleToStartTimeoutMs: number;
  /** Events that a speculative workflow task may have shipped and still be dropped (they are shipped again with the next). */
  readonly speculativeDropEventsMax: number;
  readonly continueAsNewMinIntervalMs: number;
  readonly callbacksPerRunMax: number;
  readonly callbackUrlLengthMax: number;
  /** Names and values of one callback's headers together. */
  readonly callbackHeaderSizeMax: number;
  /** How long one call may take. */
  readonly callbackTimeoutMs: number;
  /** The wait after the first call that did not get through; it doubles up to the longest. */
  readonly callbackRetryInitialMs: number;
  readonly callbackRetryMaxMs: number;
  /** Where callbacks may go. */
  readonly callbackAddresses: readonly AddressRule[];
}

const MiB = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = Object.freeze({
  idLengthMax: 1000,
  payloadSizeWarn: MiB / 2,
  payloadSizeMax: 2 * MiB,
  memoSizeMax: 2 * MiB,
  attemptFailureSizeMax: 4 * 1024,
  historyEventsWarn: 10_240,
  historyEventsSuggest: 4 * 1024,
  historyEventsMax: 51_200,
  historySizeWarn: 10 * MiB,
  historySizeSuggest: 4 * MiB,
  historySizeMax: 50 * MiB,
  stateSizeMax: 8 * MiB,
  pendingActivitiesMax: 2000,
  pendingChildrenMax: 2000,
  pendingSignalsMax: 2000,
  pendingCancelsMax: 2000,
  pendingApprovalsMax: 2000,
  signalsPerRunMax: 10_000,
  bufferedEventsMax: 100,
  bufferedBytesMax: 2 * MiB,
  updatesInFlightMax: 10,
  updatesInFlightSizeMax: 20 * MiB,
  updatesTotalMax: 2000,
  updateSuggestRatio: 0.9,
  defaultWorkflowTaskTimeoutMs: 10_000,
  workflowTaskTimeoutMaxMs: 120_000,
  workflowTaskHeartbeatTimeoutMs: 30 * 60_000,
  workflowTaskRetryBackoffFrom: 4,
  speculativeScheduleToStartTimeoutMs: 5_000,
  speculativeDropEventsMax: 10,
  continueAsNewMinIntervalMs: 1_000,
  callbacksPerRunMax: 2000,
  callbackUrlLengthMax: 1000,
  callbackHeaderSizeMax: 8 * 1024,
  callbackTimeoutMs: 10_000,
  callbackRetryInitialMs: 1_000,
  callbackRetryMaxMs: 60 * 60_000,
  callbackAddresses: Object.freeze([]),
});
