/** Calling activities from workflow code. */
import type { Timestamp } from '../definitions/api.js';
import type { ActivityFunction, ActivityTypeInfoMap, UntypedActivities } from '../definitions/activity.js';
import { msOptionalToTs, tsToMs } from '../definitions/duration.js';
import { compilePriority } from '../definitions/priority.js';
import { compileRetryPolicy } from '../definitions/retry-policy.js';
import type { PayloadTypeInfo } from '../definitions/type-info.js';
import { toPayloadsWithContext } from '../payload/payload-converter.js';
import type { ActivitySerializationContext } from '../payload/serialization-context.js';
import { type ActivityOptions, encodeActivityCancellationType, type LocalActivityOptions } from './activity-options.js';
import { currentRun } from './current-run.js';
import { LocalActivityDoBackoff } from './errors.js';
import { eventGroupMarkers } from './event-groups.js';
import type { ActivityInput, LocalActivityInput } from './interceptors.js';
import { encodeVersioningIntent } from './interfaces.js';
import type { RunContext } from './run-context.js';
import { tieToScope } from './scope-link.js';
import { sleep } from './timers.js';
import { userMetadata } from './user-metadata.js';

/** Stands in the type of a proxy for what is no activity. */
export const NotAnActivityMethod: unique symbol = Symbol.for('__TEMPORAL_NOT_AN_ACTIVITY_METHOD');

/** An activity as workflow code calls it. */
export type ActivityFunctionWithOptions<T extends ActivityFunction> = T & {
  /** Calls the activity with some options changed. */
  executeWithOptions(options: ActivityOptions, args: Parameters<T>): Promise<Awaited<ReturnType<T>>>;
};
/** The activities of `T` as {@link proxyActivities} gives them. */
export type ActivityInterfaceFor<T> = {
  [K in keyof T]: T[K] extends ActivityFunction ? ActivityFunctionWithOptions<T[K]> : typeof NotAnActivityMethod;
};
/** A local activity as workflow code calls it. */
export type LocalActivityFunctionWithOptions<T extends ActivityFunction> = T & {
  /** Calls the activity with some options changed. */
  executeWithOptions(options: LocalActivityOptions, args: Parameters<T>): Promise<Awaited<ReturnType<T>>>;
};
/** The activities of `T` as {@link proxyLocalActivities} gives them. */
export type LocalActivityInterfaceFor<T> = {
  [K in keyof T]: T[K] extends ActivityFunction ? LocalActivityFunctionWithOptions<T[K]> : typeof NotAnActivityMethod;
};

/** Options of {@link proxyActivities}. */
export interface ActivityProxyOptions<A = UntypedActivities> extends ActivityOptions {
  /** How arguments and results are converted, by the activity's name. Default: by the payload converter alone. */
  activityTypeInfo?: ActivityTypeInfoMap<A>;
}
/** Options of {@link proxyLocalActivities}. */
export interface LocalActivityProxyOptions<A = UntypedActivities> extends LocalActivityOptions {
  /** How arguments and results are converted, by the activity's name. Default: by the payload converter alone. */
  activityTypeInfo?: ActivityTypeInfoMap<A>;
}

/**
 * Functions that call activities. Give it the type of your activities, never the functions themselves.
 *
 * @example
 * ```ts
 * import type * as activities from './activities.js';
 * const { charge } = proxyActivities<typeof activities>({ startToCloseTimeout: '30s', retry: { maximumAttempts: 5 } });
 * await charge(order);
 * ```
 */
export function proxyActivities<A = UntypedActivities>(options: ActivityProxyOptions<A>): ActivityInterfaceFor<A> {
  requireTimeout(options);
  return activityProxy(options, scheduleActivity) as ActivityInterfaceFor<A>;
}

/**
 * Functions that call activities inside the workflow task, on this worker: quicker than {@link proxyActivities}, for what takes a few
 * seconds at most.
 */
export function proxyLocalActivities<A = UntypedActivities>(options: LocalActivityProxyOptions<A>): LocalActivityInterfaceFor<A> {
  requireTimeout(options);
  return activityProxy(options, scheduleLocalActivity) as LocalActivityInterfaceFor<A>;
}

type Schedule<O> = (activityType: string, args: unknown[], options: O, typeInfo?: PayloadTypeInfo) => Promise<unknown>;

function activityProxy<O extends object>(given: O & { activityTypeInfo?: object }, schedule: Schedule<O>): object {
  const { activityTypeInfo, ...options } = given;
  const typeInfoOf = (name: string) => (activityTypeInfo as Record<string, PayloadTypeInfo> | undefined)?.[name];
  return new Proxy(
    {},
    {
      get(_target, name) {
        if (typeof name !== 'string') throw new TypeError(`Expected the name of an activity to be a string, got ${String(name)}`);
        const call = (...args: unknown[]) => schedule(name, args, options as O, typeInfoOf(name));
        const executeWithOptions = (overrides: O, args: unknown[]) =>
          schedule(name, args, mergeDeep(options, overrides) as O, typeInfoOf(name));
        return Object.assign(call, { executeWithOptions });
      },
    },
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Options over options: objects in them are merged, all else is replaced. */
function mergeDeep(base: unknown, over: unknown): unknown {
  if (!isPlainObject(base) || !isPlainObject(over)) return over === undefined ? base : over;
  const merged: Record<string, unknown> = { ...base };
  for (const key of Object.keys(over)) merged[key] = mergeDeep(base[key], over[key]);
  return merged;
}

function requireTimeout(options: ActivityOptions | LocalActivityOptions | undefined): void {
  if (options === undefined) throw new TypeError('Expected activity options, got none');
  if (options.scheduleToCloseTimeout === undefined && options.startToCloseTimeout === undefined) {
    throw new TypeError('Required either scheduleToCloseTimeout or startToCloseTimeout');
  }
}

function activityContext(run: RunContext, activityId: string, isLocal: boolean): ActivitySerializationContext {
  return { type: 'activity', namespace: run.facts.namespace, workflowId: run.facts.workflowId, activityId, isLocal };
}

/** Calls an activity by name. {@link proxyActivities} is the typed way. */
export function scheduleActivity<R>(
  activityType: string,
  args: unknown[],
  options: ActivityOptions,
  typeInfo?: PayloadTypeInfo,
): Promise<R> {
  const run = currentRun('scheduleActivity()');
  if (options === undefined) throw new TypeError('Expected activity options, got none');
  const seq = run.next.activity++;
  const schedule = run.intercept(run.outbound, 'scheduleActivity', startActivity);
  return schedule({ activityType, headers: {}, options, args, seq, typeInfo }) as Promise<R>;
}

function startActivity({ options, args, headers, seq, activityType, typeInfo }: ActivityInput): Promise<unknown> {
  const run = currentRun('scheduleActivity()');
  requireTimeout(options);
  const activityId = options.activityId ?? String(seq);
  const context = activityContext(run, activityId, false);
  return new Promise((resolve, reject) => {
    const cancelled = tieToScope(reject, () => {
      if (!run.activities.has(seq)) return;
      run.push({ requestCancelActivity: { seq }, eventGroupMarkers: eventGroupMarkers(options.eventGroups) });
    });
    if (cancelled) return;
    run.push({
      scheduleActivity: {
        seq,
        activityId,
        activityType,
        arguments: toPayloadsWithContext(run.payloadConverter, context, args, typeInfo?.inputTypes),
        retryPolicy: options.retry ? compileRetryPolicy(options.retry) : undefined,
        taskQueue: options.taskQueue || run.facts.taskQueue,
        heartbeatTimeout: msOptionalToTs(options.heartbeatTimeout),
        scheduleToCloseTimeout: msOptionalToTs(options.scheduleToCloseTimeout),
        startToCloseTimeout: msOptionalToTs(options.startToCloseTimeout),
        scheduleToStartTimeout: msOptionalToTs(options.scheduleToStartTimeout),
        headers,
        cancellationType: encodeActivityCancellationType(options.cancellationType),
        doNotEagerlyExecute: !(options.allowEagerDispatch ?? true),
        versioningIntent: encodeVersioningIntent(options.versioningIntent),
        priority: options.priority ? compilePriority(options.priority) : undefined,
      },
      userMetadata: userMetadata(run.payloadConverter, context, options.summary),
      eventGroupMarkers: eventGroupMarkers(options.eventGroups),
    });
    run.activities.set(seq, { resolve, reject, context, outputTypeInfo: typeInfo?.outputType, waitsAt: new Error() });
  });
}

/** Calls a local activity by name. {@link proxyLocalActivities} is the typed way. */
export async function scheduleLocalActivity<R>(
  activityType: string,
  args: unknown[],
  options: LocalActivityOptions,
  typeInfo?: PayloadTypeInfo,
): Promise<R> {
  const run = currentRun('scheduleLocalActivity()');
  if (options === undefined) throw new TypeError('Expected activity options, got none');
  let attempt = 1;
  let originalScheduleTime: Timestamp | undefined;
  for (;;) {
    const seq = run.next.activity++;
    const schedule = run.intercept(run.outbound, 'scheduleLocalActivity', startLocalActivity);
    try {
      return (await schedule({ activityType, headers: {}, options, args, seq, attempt, originalScheduleTime, typeInfo })) as R;
    } catch (error) {
      if (!(error instanceof LocalActivityDoBackoff)) throw error;
      const { backoffDuration, attempt: next, originalScheduleTime: scheduled } = error.backoff;
      await sleep(tsToMs(backoffDuration as Timestamp), { eventGroups: options.eventGroups });
      attempt = next ?? attempt + 1;
      originalScheduleTime = (scheduled as Timestamp | null | undefined) ?? undefined;
    }
  }
}

async function startLocalActivity(input: LocalActivityInput): Promise<unknown> {
  const { options, args, headers, seq, activityType, attempt, originalScheduleTime, typeInfo } = input;
  const run = currentRun('scheduleLocalActivity()');
  const activityId = String(seq);
  const context = activityContext(run, activityId, true);
  const known = run.init.activityNames;
  if (known && !run.facts.unsafe.isReplaying && !known.has(activityType) && !known.has('default')) {
    throw new ReferenceError(`Local activity of type '${activityType}' not registered on worker`);
  }
  requireTimeout(options);
  return new Promise((resolve, reject) => {
    const cancelled = tieToScope(reject, () => {
      if (run.activities.has(seq)) run.push({ requestCancelLocalActivity: { seq } });
    });
    if (cancelled) return;
    run.push({
      scheduleLocalActivity: {
        seq,
        attempt,
        originalScheduleTime,
        activityId,
        activityType,
        arguments: toPayloadsWithContext(run.payloadConverter, context, args, typeInfo?.inputTypes),
        retryPolicy: options.retry ? compileRetryPolicy(options.retry) : undefined,
        scheduleToCloseTimeout: msOptionalToTs(options.scheduleToCloseTimeout),
        startToCloseTimeout: msOptionalToTs(options.startToCloseTimeout),
        scheduleToStartTimeout: msOptionalToTs(options.scheduleToStartTimeout),
        localRetryThreshold: msOptionalToTs(options.localRetryThreshold),
        headers,
        cancellationType: encodeActivityCancellationType(options.cancellationType),
      },
      userMetadata: userMetadata(run.payloadConverter, context, options.summary),
      eventGroupMarkers: eventGroupMarkers(options.eventGroups),
    });
    run.activities.set(seq, { resolve, reject, context, outputTypeInfo: typeInfo?.outputType, waitsAt: new Error() });
  });
}
