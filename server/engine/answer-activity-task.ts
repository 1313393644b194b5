/** What workers say about their activities: completed, failed, cancelled, still at it. By task token, or by ids for async completion. */
import type { temporal } from '../core/api.js';
import { invalidArgument, notFound } from '../core/errors.js';
import { cancelActivity, completeActivity, failActivity, findActivity, heartbeatActivity, type Progress } from '../core/kinds/activity.js';
import { isRunning } from '../core/kinds/run.js';
import type { Activity } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, findRunId, noSuchWorkflow } from './find-run.js';
import { decodeToken } from './task-token.js';
import { transact } from './transact.js';

type Completed = temporal.api.workflowservice.v1.IRespondActivityTaskCompletedRequest;
type CompletedById = temporal.api.workflowservice.v1.IRespondActivityTaskCompletedByIdRequest;
type Failed = temporal.api.workflowservice.v1.IRespondActivityTaskFailedRequest;
type FailedById = temporal.api.workflowservice.v1.IRespondActivityTaskFailedByIdRequest;
type Canceled = temporal.api.workflowservice.v1.IRespondActivityTaskCanceledRequest;
type CanceledById = temporal.api.workflowservice.v1.IRespondActivityTaskCanceledByIdRequest;
type Heartbeat = temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatRequest;
type HeartbeatById = temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatByIdRequest;

const activityNotFound = (): Error => notFound('invalid activityID or activity already timed out or invoking workflow is completed');

type Target = { taskToken?: Uint8Array | null } | { namespace?: string | null; workflowId?: string | null; runId?: string | null; activityId?: string | null };

/** Finds the activity that a request means and lets it happen in one transition. */
async function onActivity<R>(engine: Engine, target: Target, work: (turn: Turn, activity: Activity) => R): Promise<R> {
  if ('taskToken' in target || !('activityId' in target)) return byToken(engine, (target as { taskToken?: Uint8Array | null }).taskToken, work);
  const namespace = await engine.registry.require(target.namespace);
  if (!target.activityId) throw invalidArgument('ActivityId is not set on request.');
  const workflowId = target.workflowId ?? '';
  const runId = await findRunId(engine, namespace, { workflowId, runId: target.runId });
  return transact(engine, runId, (turn) => {
    if (!belongs(turn.state.info, namespace, workflowId)) throw noSuchWorkflow(workflowId);
    if (!isRunning(turn.state)) throw notFound('workflow execution already completed');
    const activity = findActivity(turn.state, target.activityId!);
    if (!activity) throw notFound(`cannot find pending activity with ActivityID ${target.activityId}`);
    return work(turn, activity);
  });
}

async function byToken<R>(engine: Engine, bytes: Uint8Array | null | undefined, work: (turn: Turn, activity: Activity) => R): Promise<R> {
  const token = decodeToken(bytes, 'a');
  return transact(engine, token.run, (turn) => {
    if (!isRunning(turn.state)) throw notFound('workflow execution already completed');
    const activity = turn.state.activities[token.s];
    if (!activity?.startedMs || activity.attempt !== token.a || activity.startedMs !== token.at) throw activityNotFound();
    return work(turn, activity);
  });
}

const hasToken = (request: { taskToken?: Uint8Array | null }): Target => ({ taskToken: request.taskToken });

const byIds = (r: { namespace?: string | null; workflowId?: string | null; runId?: string | null; activityId?: string | null }): Target => ({
  namespace: r.namespace,
  workflowId: r.workflowId,
  runId: r.runId,
  activityId: r.activityId ?? '',
});

async function complete(engine: Engine, target: Target, request: Pick<Completed, 'result' | 'identity'>): Promise<object> {
  await onActivity(engine, target, (turn, activity) => completeActivity(turn, activity, request));
  return {};
}

async function fail(engine: Engine, target: Target, request: Pick<Failed, 'failure' | 'identity' | 'lastHeartbeatDetails'>): Promise<object> {
  await onActivity(engine, target, (turn, activity) => failActivity(turn, activity, { failure: request.failure, identity: request.identity, lastHeartbeatDetails: request.lastHeartbeatDetails }));
  return {};
}

async function cancel(engine: Engine, target: Target, request: Pick<Canceled, 'details' | 'identity'>): Promise<object> {
  await onActivity(engine, target, (turn, activity) => {
    if (!activity.cancelRequestedEventId) throw invalidArgument('Activity cancel was not requested.');
    cancelActivity(turn, activity, request);
  });
  return {};
}

async function heartbeat(engine: Engine, target: Target, request: Pick<Heartbeat, 'details'>): Promise<object> {
  const progress: Progress = await onActivity(engine, target, (turn, activity) => heartbeatActivity(turn, activity, request.details));
  return { cancelRequested: progress.cancelRequested, activityPaused: progress.paused, activityReset: progress.reset };
}

export const activityAnswers = {
  completed: (engine: Engine, r: Completed, _call: Call) => complete(engine, hasToken(r), r),
  completedById: (engine: Engine, r: CompletedById, _call: Call) => complete(engine, byIds(r), r),
  failed: (engine: Engine, r: Failed, _call: Call) => fail(engine, hasToken(r), r),
  failedById: (engine: Engine, r: FailedById, _call: Call) => fail(engine, byIds(r), r),
  canceled: (engine: Engine, r: Canceled, _call: Call) => cancel(engine, hasToken(r), r),
  canceledById: (engine: Engine, r: CanceledById, _call: Call) => cancel(engine, byIds(r), r),
  heartbeat: (engine: Engine, r: Heartbeat, _call: Call) => heartbeat(engine, hasToken(r), r),
  heartbeatById: (engine: Engine, r: HeartbeatById, _call: Call) => heartbeat(engine, byIds(r), r),
};

