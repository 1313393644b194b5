/** A worker's options with their defaults, checked. */
import v8 from 'node:v8';
import type { ActivityFunction } from '../definitions/activity.js';
import { msOptionalToNumber } from '../definitions/duration.js';
import { defaultIdentity } from '../client/base-client.js';
import type { LoadedDataConverter } from '../payload/data-converter.js';
import { loadDataConverter } from '../payload/load-data-converter.js';
import { throwIfReservedName } from '../workflow/reserved.js';
import { count } from './option-count.js';
import type { PollerScale } from './poller.js';
import { activityScale, workflowScales } from './poller-scales.js';
import type { SlotSupplier, TunerHolder } from './tuner.js';
import { tunerSuppliers } from './tuner.js';
import type { WorkerOptions } from './worker-options.js';

/**
 * Options as the worker uses them, durations in milliseconds: `shutdownGraceTimeMs`, `shutdownForceTimeMs` (undefined for never),
 * `stickyScheduleToStartMs`.
 */
export interface CompiledWorkerOptions extends WorkerOptions {
  namespace: string;
  identity: string;
  /** From `dataConverter`, its files loaded. */
  loadedDataConverter: LoadedDataConverter;
  /** What of `activities` are functions, by name. */
  activityFunctions: ReadonlyMap<string, ActivityFunction>;
  tuner: TunerHolder;
  shutdownGraceTimeMs: number;
  shutdownForceTimeMs: number | undefined;
  stickyScheduleToStartMs: number;
  /** Longest interval between two heartbeats of an activity. */
  maxHeartbeatThrottleMs: number;
  /** Interval between heartbeats of activities that have no heartbeat timeout. */
  defaultHeartbeatThrottleMs: number;
  maxCachedWorkflows: number;
  maxEagerActivityReservationsPerWorkflowTask: number;
  /** Whether workflow tasks are taken. */
  hasWorkflows: boolean;
  /** Undefined when no activity tasks are taken. */
  activityPolls: PollerScale | undefined;
  /** Polls of the normal queue. */
  workflowPolls: PollerScale;
  /** Polls of the sticky queue; undefined when no runs are cached. */
  stickyPolls: PollerScale | undefined;
}

const DEFAULTS = {
  namespace: 'default',
  workflowTasks: 200,
  activities: 100,
  localActivities: 100,
  eagerActivities: 3,
  stickyTimeoutMs: 10_000,
  maxHeartbeatThrottleMs: 60_000,
  defaultHeartbeatThrottleMs: 30_000,
} as const;

/** A cached small run costs tens of kilobytes; a large one far more. */
const HEAP_BYTES_PER_CACHED_RUN = 1 << 20;
const MAX_CACHED_RUNS = 1000;

/**
 * Checks options and fills in defaults.
 * @throws TypeError naming the option, what was expected and what came.
 */
export function compileWorkerOptions(options: WorkerOptions): CompiledWorkerOptions {
  if (typeof options.taskQueue !== 'string' || options.taskQueue === '') {
    throw new TypeError(`Invalid 'taskQueue': expected a non-empty string, got ${JSON.stringify(options.taskQueue)}`);
  }
  if (options.workflowsPath && options.workflowBundle)
    throw new TypeError("Either 'workflowsPath' or 'workflowBundle' may be set, not both");
  const activityFunctions = activityMap(options.activities);
  refuseReservedNames(options, activityFunctions);
  const hasWorkflows = Boolean(options.workflowsPath || options.workflowBundle);
  const takesActivities = activityFunctions.size > 0 && options.enableNonLocalActivities !== false;
  if (!hasWorkflows && !takesActivities) {
    throw new TypeError("A worker needs 'workflowsPath' or 'workflowBundle' for workflows, or 'activities', or both");
  }
  const tuner = tunerOf(options);
  const maxCachedWorkflows = count(options, 'maxCachedWorkflows', defaultCachedRuns(), 0);
  return {
    ...options,
    namespace: options.namespace ?? DEFAULTS.namespace,
    identity: options.identity ?? defaultIdentity(),
    loadedDataConverter: loadDataConverter(options.dataConverter),
    activityFunctions,
    hasWorkflows,
    tuner,
    shutdownGraceTimeMs: msOptionalToNumber(options.shutdownGraceTime) ?? 0,
    shutdownForceTimeMs: msOptionalToNumber(options.shutdownForceTime),
    stickyScheduleToStartMs: msOptionalToNumber(options.stickyQueueScheduleToStartTimeout) ?? DEFAULTS.stickyTimeoutMs,
    maxHeartbeatThrottleMs: msOptionalToNumber(options.maxHeartbeatThrottleInterval) ?? DEFAULTS.maxHeartbeatThrottleMs,
    defaultHeartbeatThrottleMs: msOptionalToNumber(options.defaultHeartbeatThrottleInterval) ?? DEFAULTS.defaultHeartbeatThrottleMs,
    maxCachedWorkflows,
    maxEagerActivityReservationsPerWorkflowTask: count(options, 'maxEagerActivityReservationsPerWorkflowTask', DEFAULTS.eagerActivities, 0),
    activityPolls: takesActivities ? activityScale(options, slotsOf(tuner.activityTaskSlotSupplier)) : undefined,
    ...workflowScales(options, maxCachedWorkflows > 0, slotsOf(tuner.workflowTaskSlotSupplier)),
  };
}

function refuseReservedNames({ taskQueue, sinks }: WorkerOptions, activities: ReadonlyMap<string, unknown>): void {
  throwIfReservedName('task queue', taskQueue);
  for (const name of activities.keys()) throwIfReservedName('activity', name);
  for (const name of Object.keys(sinks ?? {})) throwIfReservedName('sink', name);
}

function defaultCachedRuns(): number {
  return Math.min(MAX_CACHED_RUNS, Math.max(10, Math.floor(v8.getHeapStatistics().heap_size_limit / 4 / HEAP_BYTES_PER_CACHED_RUN)));
}

/** Own and inherited methods of the object, so that class instances work too. */
function activityMap(activities: object | undefined): Map<string, ActivityFunction> {
  const functions = new Map<string, ActivityFunction>();
  for (let layer = activities; layer && layer !== Object.prototype; layer = Object.getPrototypeOf(layer)) {
    for (const name of Object.getOwnPropertyNames(layer)) {
      if (name === 'constructor' || functions.has(name)) continue;
      const value = (activities as Record<string, unknown>)[name];
      if (typeof value === 'function') functions.set(name, value.bind(activities) as ActivityFunction);
    }
  }
  // bind() loses what was attached to a function.
  for (const [name, bound] of functions) Object.assign(bound, (activities as Record<string, object>)[name]);
  return functions;
}

function tunerOf(options: WorkerOptions): TunerHolder {
  const counts = [
    'maxConcurrentWorkflowTaskExecutions',
    'maxConcurrentActivityTaskExecutions',
    'maxConcurrentLocalActivityExecutions',
  ] as const;
  if (options.tuner) {
    const both = counts.find((name) => options[name] !== undefined);
    if (both) throw new TypeError(`Either 'tuner' or '${both}' may be set, not both`);
    return tunerSuppliers(options.tuner);
  }
  const fixed = (name: (typeof counts)[number], fallback: number) => ({
    type: 'fixed-size' as const,
    numSlots: count(options, name, fallback),
  });
  return {
    workflowTaskSlotSupplier: fixed('maxConcurrentWorkflowTaskExecutions', DEFAULTS.workflowTasks),
    activityTaskSlotSupplier: fixed('maxConcurrentActivityTaskExecutions', DEFAULTS.activities),
    localActivityTaskSlotSupplier: fixed('maxConcurrentLocalActivityExecutions', DEFAULTS.localActivities),
  };
}

/** How many slots there are, where that is a fixed number. */
const slotsOf = (supplier: SlotSupplier<never>): number | undefined => (supplier.type === 'fixed-size' ? supplier.numSlots : undefined);
