/** The field's dynamic configuration keys that this server knows, as changes of its limits. A value of the wrong kind is refused by name. */
import { ConfigError, type ConfigProblem } from './config.js';
import { callbackLimits } from './callback-config.js';
import { DEFAULT_LIMITS, type Limits } from './core/limits.js';

type NumericLimit = { [Name in keyof Limits]: Limits[Name] extends number ? Name : never }[keyof Limits];

const KEYS: Readonly<Record<string, NumericLimit>> = {
  'limit.maxIDLength': 'idLengthMax',
  'limit.blobSize.warn': 'payloadSizeWarn',
  'limit.blobSize.error': 'payloadSizeMax',
  'limit.memoSize.error': 'memoSizeMax',
  'limit.historyCount.warn': 'historyEventsWarn',
  'limit.historyCount.suggestContinueAsNew': 'historyEventsSuggest',
  'limit.historyCount.error': 'historyEventsMax',
  'limit.historySize.warn': 'historySizeWarn',
  'limit.historySize.suggestContinueAsNew': 'historySizeSuggest',
  'limit.historySize.error': 'historySizeMax',
  'limit.numPendingActivities.error': 'pendingActivitiesMax',
  'limit.numPendingChildExecutions.error': 'pendingChildrenMax',
  'limit.numPendingSignals.error': 'pendingSignalsMax',
  'limit.numPendingCancelRequests.error': 'pendingCancelsMax',
  'history.maximumSignalsPerExecution': 'signalsPerRunMax',
  'history.maximumBufferedEventsBatch': 'bufferedEventsMax',
  'history.maximumBufferedEventsSizeInBytes': 'bufferedBytesMax',
  'history.maxInFlightUpdates': 'updatesInFlightMax',
  'history.maxTotalUpdates': 'updatesTotalMax',
  'callback.maxPerExecution': 'callbacksPerRunMax',
  'system.maxCallbacksPerWorkflow': 'callbacksPerRunMax',
  'frontend.callbackURLMaxLength': 'callbackUrlLengthMax',
  'frontend.callbackHeaderMaxLength': 'callbackHeaderSizeMax',
};

/**
 * The limits with what the configuration changes. Keys that mean nothing here are left alone: tools pass whatever their own server knows.
 * @throws {ConfigError} naming every known key whose value cannot be used
 */
export function dynamicLimits(dynamicConfig: Readonly<Record<string, unknown>>): Limits {
  const changes: Partial<Record<NumericLimit, number>> = {};
  const problems: ConfigProblem[] = [];
  const callbacks = callbackLimits(dynamicConfig, problems);
  const known = new Map(Object.entries(KEYS).map(([key, name]) => [key.toLowerCase(), name]));
  for (const [key, value] of Object.entries(dynamicConfig)) {
    const name = known.get(key.toLowerCase());
    if (!name) continue;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) changes[name] = value;
    else problems.push({ key: `--dynamic-config-value ${key}`, expected: 'a positive whole number', got: JSON.stringify(value) });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({ ...DEFAULT_LIMITS, ...changes, ...callbacks });
}
