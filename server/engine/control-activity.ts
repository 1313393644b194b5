/** PauseActivity, UnpauseActivity, ResetActivity, UpdateActivityOptions, and the same by the names that name one activity (…ActivityExecution…). */
import { fromDuration, type HistoryEvent, type temporal } from '../core/api.js';
import { type ActivityOptions, isKnownPath, originalOptions } from '../core/activity-options.js';
import { invalidArgument, notFound, unimplemented } from '../core/errors.js';
import { activitiesOfType, findActivity } from '../core/kinds/activity.js';
import { changeOptions, pauseActivity, replaceOptions, resetActivity, unpauseActivity } from '../core/kinds/activity-control.js';
import { isRunning } from '../core/kinds/run.js';
import type { Activity, RunState } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import { durationProblem } from '../core/validate/duration.js';
import { requireIdentity, requestIdProblem } from '../core/validate/identity.js';
import { priorityProblem } from '../core/validate/priority.js';
import { refuse } from '../core/validate/problem.js';
import { exceeds, utf8Length } from '../core/validate/text-length.js';

import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { eventOf } from './events-of.js';
import { belongs, findRunId, noSuchWorkflow, RunEnded } from './find-run.js';
import { randomFraction } from './ids.js';
import { transact } from './transact.js';

type PauseRequest = temporal.api.workflowservice.v1.IPauseActivityRequest;
type UnpauseRequest = temporal.api.workflowservice.v1.IUnpauseActivityRequest;
type ResetRequest = temporal.api.workflowservice.v1.IResetActivityRequest;
type UpdateRequest = temporal.api.workflowservice.v1.IUpdateActivityOptionsRequest;
type PauseOne = temporal.api.workflowservice.v1.IPauseActivityExecutionRequest;
type UnpauseOne = temporal.api.workflowservice.v1.IUnpauseActivityExecutionRequest;
type ResetOne = temporal.api.workflowservice.v1.IResetActivityExecutionRequest;
type UpdateOne = temporal.api.workflowservice.v1.IUpdateActivityExecutionOptionsRequest;

/** Which activities of a run a request means: one by its id, all of a type, or all. */
interface Target {
  readonly namespace?: string | null;
  readonly execution?: temporal.api.common.v1.IWorkflowExecution | null;
  readonly id?: string | null;
  readonly type?: string | null;
  readonly unpauseAll?: boolean | null;
  readonly matchAll?: boolean | null;
}

const noSuchActivity = (): Error => notFound("Can't find pending activity with such ID. Invalid activityID or activity already completed");

/** A decoded message has a field of its own only when it was sent: that tells an empty name from none. */
const WAYS = ['id', 'type', 'unpauseAll', 'matchAll'] as const;

async function requireTarget(engine: Engine, target: Target): Promise<void> {
  await engine.registry.require(target.namespace);
  if (!target.execution?.workflowId) throw invalidArgument('WorkflowId is not set on request.');
  if (!WAYS.some((way) => Object.hasOwn(target, way)))
    throw invalidArgument('Either Activity.Id or Activity.Type should be set on request.');
}

function meant(state: RunState, target: Target): Activity[] {
  if (target.unpauseAll || target.matchAll) return Object.values(state.activities);
  if (target.type) return activitiesOfType(state, target.type);
  const activity = target.id ? findActivity(state, target.id) : undefined;
  return activity ? [activity] : [];
}

/** Lets something happen to every activity that a request means, in one transition. */
async function onEach<R>(
  engine: Engine,
  target: Target,
  act: (turn: Turn, activity: Activity, scheduled: HistoryEvent | undefined) => R,
  needsScheduled = false,
): Promise<R[]> {
  const namespace = await engine.registry.require(target.namespace);
  const runId = await findRunId(engine, namespace, target.execution);
  const workflowId = target.execution!.workflowId!;
  const scheduled = new Map<number, HistoryEvent>();
  return transact(
    engine,
    runId,
    (turn) => {
      if (!belongs(turn.state.info, namespace, workflowId)) throw noSuchWorkflow(workflowId);
      if (!isRunning(turn.state)) throw new RunEnded();
      const activities = meant(turn.state, target);
      if (activities.length === 0) throw noSuchActivity();
      return activities.map((activity) => act(turn, activity, scheduled.get(activity.scheduledEventId)));
    },
    {
      async prepare(run) {
        if (!needsScheduled) return;
        for (const { scheduledEventId } of meant(run.state, target))
          scheduled.set(scheduledEventId, await eventOf(engine, run, scheduledEventId));
      },
    },
  );
}

function jitterOf(engine: Engine, jitter: UnpauseRequest['jitter']): () => number {
  const ms = fromDuration(jitter);
  return () => (ms > 0 ? Math.floor(randomFraction(engine.ids) * ms) : 0);
}

async function pause(engine: Engine, request: PauseRequest, _call: Call): Promise<object> {
  await requireTarget(engine, request);
  const by = { identity: request.identity ?? '', reason: request.reason ?? '', requestId: request.requestId ?? '' };
  await onEach(engine, request, (turn, activity) => pauseActivity(turn, activity, by));
  return {};
}

async function unpause(engine: Engine, request: UnpauseRequest, _call: Call): Promise<object> {
  await requireTarget(engine, request);
  const delay = jitterOf(engine, request.jitter);
  const how = { resetAttempts: request.resetAttempts === true, resetHeartbeat: request.resetHeartbeat === true };
  await onEach(engine, request, (turn, activity) => unpauseActivity(turn, activity, { ...how, delayMs: delay() }));
  return {};
}

async function reset(engine: Engine, request: ResetRequest, _call: Call): Promise<object> {
  await requireTarget(engine, request);
  const delay = jitterOf(engine, request.jitter);
  const how = { resetHeartbeat: request.resetHeartbeat === true, keepPaused: request.keepPaused === true };
  await onEach(
    engine,
    request,
    (turn, activity, scheduled) => {
      const options = scheduled && originalOptions(scheduled.activityTaskScheduledEventAttributes!);
      resetActivity(turn, activity, { ...how, options, delayMs: delay() });
    },
    request.restoreOriginalOptions === true,
  );
  return {};
}

async function updateOptions(engine: Engine, request: UpdateRequest, _call: Call): Promise<{ activityOptions: ActivityOptions }> {
  await requireTarget(engine, request);
  const { activityOptions: changes, updateMask: mask, restoreOriginal } = request;
  refuse(priorityProblem(changes?.priority));
  if (restoreOriginal && mask?.paths?.length) throw invalidArgument('Both UpdateMask and RestoreOriginal are provided');
  if (restoreOriginal) {
    const restored = await onEach(
      engine,
      request,
      (turn, a, scheduled) => replaceOptions(turn, a, originalOptions(scheduled!.activityTaskScheduledEventAttributes!)),
      true,
    );
    return { activityOptions: restored[restored.length - 1]! };
  }
  const updated = await onEach(engine, request, (turn, activity) => {
    if (!changes) throw invalidArgument('ActivityOptions are not provided');
    if (!mask) throw invalidArgument('UpdateMask is not provided');
    return changeOptions(turn, activity, changes, mask.paths ?? []);
  });
  const options = updated[updated.length - 1]!;
  return { activityOptions: { ...options, taskQueue: { ...options.taskQueue, kind: 1 } } };
}

/** A request of the newer names as one of the older. Activities without a workflow are a feature that this server has not. */
async function asTarget(engine: Engine, one: PauseOne & Pick<UnpauseOne, 'jitter'>): Promise<Target> {
  await engine.registry.require(one.namespace);
  if (!one.workflowId) throw unimplemented('Standalone activity operator commands are disabled');
  const { activityId } = one;
  const { idLengthMax } = engine.limits;
  if (!activityId) throw invalidArgument('activity ID is required');
  if (exceeds(activityId, idLengthMax))
    throw invalidArgument(`activity ID exceeds length limit. Length=${utf8Length(activityId)} Limit=${idLengthMax}`);
  refuse(requestIdProblem(one.requestId, idLengthMax));
  requireIdentity(one.identity, idLengthMax);
  if (one.reason && exceeds(one.reason, engine.limits.payloadSizeMax)) throw invalidArgument('reason exceeds length limit');
  const jitter = durationProblem(one.jitter);
  if (jitter) throw invalidArgument(`invalid jitter: ${jitter}`);
  return { namespace: one.namespace, execution: { workflowId: one.workflowId, runId: one.runId }, id: activityId };
}

function requireMask({ updateMask, restoreOriginal, activityOptions }: UpdateOne): void {
  if (restoreOriginal) return;
  if (!activityOptions) throw invalidArgument('ActivityOptions are not provided');
  if (!updateMask) throw invalidArgument('UpdateMask is not provided');
  if (!updateMask.paths?.length) throw invalidArgument('UpdateMask must specify at least one path');
  for (const path of updateMask.paths) if (!isKnownPath(path)) throw invalidArgument(`unsupported update_mask path: "${path}"`);
}

export const activityControls = {
  pause,
  unpause,
  reset,
  updateOptions,
  async pauseOne(engine: Engine, { identity, reason, requestId, ...one }: PauseOne, call: Call) {
    const target = await asTarget(engine, { ...one, identity, reason, requestId });
    return pause(engine, { ...target, identity, reason, requestId: requestId || engine.ids.newId() }, call);
  },
  async unpauseOne(engine: Engine, one: UnpauseOne, call: Call) {
    return unpause(engine, { ...(await asTarget(engine, one)), identity: one.identity, jitter: one.jitter }, call);
  },
  async resetOne(engine: Engine, one: ResetOne, call: Call) {
    const { identity, jitter, keepPaused, resetHeartbeat, restoreOriginalOptions } = one;
    return reset(engine, { ...(await asTarget(engine, one)), identity, jitter, keepPaused, resetHeartbeat, restoreOriginalOptions }, call);
  },
  async updateOptionsOne(engine: Engine, one: UpdateOne, call: Call) {
    const target = await asTarget(engine, one);
    requireMask(one);
    const { identity, activityOptions, updateMask, restoreOriginal } = one;
    return updateOptions(engine, { ...target, identity, activityOptions, updateMask, restoreOriginal }, call);
  },
};
