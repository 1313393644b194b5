/** A worker's options with their defaults, checked. */
import v8 from 'node:v8';
import type { ActivityFunction } from '../definitions/activity.js';
import { msOptionalToNumber } from '../definitions/duration.js';
import { defaultIdentity } from '../client/base-client.js';
import type { LoadedDataConverter } from '../payload/data-converter.js';
import { loadDataConverter } from '../payload/load-data-converter.js';
import type { PollerScale } from './poller.js';
import type { TunerHolder } from './tuner.js';
import { tunerSuppliers } from './tuner.js';
import type { PollerBehavior, WorkerOptions } from './worker-options.js';

/** Options as the worker uses them; durations in milliseconds. */
export interface CompiledWorkerOptions extends WorkerOptions {
  namespace: string;
  identity: string;
  loadedDataConverter: LoadedDataConverter;
  activityFunctions: ReadonlyMap<string, ActivityFunction>;
  tuner: TunerHolder;
  shutdownGraceTimeMs: number;
  shutdownForceTimeMs: number | undefined;
  stickyScheduleToStartMs: number;
  maxHeartbeatThrottleMs: number;
  defaultHeartbeatThrottleMs: number;
  maxCachedWorkflows: number;
  maxEagerActivityReservationsPerWorkflowTask: number;
  hasWorkflows: boolean;
  /** Undefined when no activity tasks are taken. */
  activityPolls: PollerScale | undefined;
  workflowPolls: PollerScale;
  stickyPolls: PollerScale | undefined;
}

const DEFAULTS = {
  namespace: 'default',
  workflowTasks: 40,
  activities: 100,
  localActivities: 100,
  polls: 50,
  nonStickyRatio: 0.2,
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
  const hasWorkflows = Boolean(options.workflowsPath || options.workflowBundle);
  const takesActivities = activityFunctions.size > 0 && options.enableNonLocalActivities !== false;
  if (!hasWorkflows && !takesActivities) {
    throw new TypeError("A worker needs 'workflowsPath' or 'workflowBundle' for workflows, or 'activities', or both");
  }
  const maxCachedWorkflows = count(options, 'maxCachedWorkflows', defaultCachedRuns(), 0);
  return {
    ...options,
    namespace: options.namespace ?? DEFAULTS.namespace,
    identity: options.identity ?? defaultIdentity(),
    loadedDataConverter: loadDataConverter(options.dataConverter),
    activityFunctions,
    hasWorkflows,
    tuner: tunerOf(options),
    shutdownGraceTimeMs: msOptionalToNumber(options.shutdownGraceTime) ?? 0,
    shutdownForceTimeMs: msOptionalToNumber(options.shutdownForceTime),
    stickyScheduleToStartMs: msOptionalToNumber(options.stickyQueueScheduleToStartTimeout) ?? DEFAULTS.stickyTimeoutMs,
    maxHeartbeatThrottleMs: msOptionalToNumber(options.maxHeartbeatThrottleInterval) ?? DEFAULTS.maxHeartbeatThrottleMs,
    defaultHeartbeatThrottleMs: msOptionalToNumber(options.defaultHeartbeatThrottleInterval) ?? DEFAULTS.defaultHeartbeatThrottleMs,
    maxCachedWorkflows,
    maxEagerActivityReservationsPerWorkflowTask: count(options, 'maxEagerActivityReservationsPerWorkflowTask', DEFAULTS.eagerActivities, 0),
    activityPolls: takesActivities ? activityScale(options) : undefined,
    ...workflowScales(options, maxCachedWorkflows > 0),
  };
}

type CountOption = {
  [K in keyof WorkerOptions]-?: NonNullable<WorkerOptions[K]> extends number ? K : never;
}[keyof WorkerOptions];

function count(options: WorkerOptions, name: CountOption, fallback: number, minimum = 1): number {
  const value = options[name] ?? fallback;
  if (!Number.isInteger(value) || value < minimum)
    throw new TypeError(`Invalid '${name}': expected an integer of at least ${minimum}, got ${value}`);
  return value;
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

function activityScale(options: WorkerOptions): PollerScale {
  const maximum = count(options, 'maxConcurrentActivityTaskPolls', DEFAULTS.polls);
  return scaleOf(options.activityTaskPollerBehavior, maximum);
}

/** A few polls to begin with: more come with the work, so that an idle worker costs the server little. */
function scaleOf(behavior: PollerBehavior | undefined, maximum: number): PollerScale {
  if (behavior?.type === 'autoscaling') {
    const { minimum = 1, initial = 5 } = behavior;
    const most = behavior.maximum ?? 100;
    if (minimum > most) throw new TypeError(`Invalid poller behavior: expected minimum <= maximum, got ${minimum} > ${most}`);
    return { minimum, initial: Math.min(Math.max(initial, minimum), most), maximum: most };
  }
  const most = behavior?.maximum ?? maximum;
  return { minimum: Math.min(2, most), initial: Math.min(2, most), maximum: most };
}

/** Workflow polls are shared out between the normal and the sticky queue. */
function workflowScales(options: WorkerOptions, cached: boolean): { workflowPolls: PollerScale; stickyPolls: PollerScale | undefined } {
  const all = scaleOf(options.workflowTaskPollerBehavior, count(options, 'maxConcurrentWorkflowTaskPolls', DEFAULTS.polls));
  if (!cached) return { workflowPolls: all, stickyPolls: undefined };
  const ratio = options.nonStickyToStickyPollRatio ?? DEFAULTS.nonStickyRatio;
  if (!(ratio > 0 && ratio < 1))
    throw new TypeError(`Invalid 'nonStickyToStickyPollRatio': expected a number between 0 and 1, got ${ratio}`);
  if (all.maximum < 2) throw new TypeError("Invalid 'maxConcurrentWorkflowTaskPolls': expected at least 2 when workflows are cached");
  const normal = Math.max(1, Math.floor(all.maximum * ratio));
  return {
    workflowPolls: { minimum: 1, initial: 1, maximum: normal },
    stickyPolls: { minimum: 1, initial: 1, maximum: all.maximum - normal },
  };
}
