/** What workers say about their activities: completed, failed, cancelled, still at it. By task token, or by ids for async completion. */
import type { Failure, temporal } from '../core/api.js';
import { invalidArgument, notFound } from '../core/errors.js';
import { CANCEL_DETAILS_TOO_LARGE, HEARTBEAT_TOO_LARGE, RESULT_TOO_LARGE, serverFailure, storableFailure } from '../core/failure.js';
import { findActivity } from '../core/kinds/activity.js';
import { cancelActivity, completeActivity, failActivity, heartbeatActivity } from '../core/kinds/activity-attempt.js';
import { isRunning } from '../core/kinds/run.js';
import type { Activity } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import { requireActivityFailure, requireActivityIds, requireRetryDelays } from '../core/validate/activity-answer.js';
import { requireIdentity } from '../core/validate/identity.js';
import { failureSize, payloadsExceed } from '../core/validate/payload-size.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { belongs, findRunId, noSuchWorkflow, RunEnded } from './find-run.js';
import { requireTokenNamespace } from './task-namespace.js';
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
type ByToken = { taskToken?: Uint8Array | null; namespace?: string | null };
type ByIds = { namespace?: string | null; workflowId?: string | null; runId?: string | null; activityId?: string | null };

/** Something that happens to the activity which a request means, in one transition. */
type OnActivity = <R>(work: (turn: Turn, activity: Activity) => R) => Promise<R>;

const noSuchAttempt = (): Error => notFound('invalid activityID or activity already timed out or invoking workflow is completed');

/** The attempt that the token was handed out for; any other is gone. */
async function byToken(engine: Engine, request: ByToken): Promise<OnActivity> {
  const token = decodeToken(request.taskToken, 'a');
  await requireTokenNamespace(engine, token, request.namespace);
  return (work) =>
    transact(engine, token.run, (turn) => {
      const { state } = turn;
      if (state.info.namespaceId !== token.ns) throw noSuchWorkflow(token.wid);
      if (!isRunning(state)) throw new RunEnded();
      const activity = state.activities[token.s];
      if (!activity?.startedMs || activity.attempt !== token.a || activity.startedMs !== token.at) throw noSuchAttempt();
      return work(turn, activity);
    });
}

/** The pending activity of that id, whoever has it. Unless told otherwise a worker must have taken it. */
async function byIds(engine: Engine, request: ByIds, { mayBeUnstarted = false } = {}): Promise<OnActivity> {
  const namespace = await engine.registry.require(request.namespace);
  const { workflowId, runId, activityId } = requireActivityIds(request);
  return async (work) => {
    const found = await findRunId(engine, namespace, { workflowId, runId });
    return transact(engine, found, (turn) => {
      const { state } = turn;
      if (!belongs(state.info, namespace, workflowId)) throw noSuchWorkflow(workflowId);
      if (!isRunning(state)) throw new RunEnded();
      const activity = findActivity(state, activityId);
      if (!activity)
        throw notFound(`cannot find pending activity with ActivityID ${activityId}, check workflow execution history for more details`);
      if (!activity.startedMs && !mayBeUnstarted) throw noSuchAttempt();
      return work(turn, activity);
    });
  };
}

/** What cannot be stored fails the activity for good, with a failure that says so. */
const failForGood = (on: OnActivity, message: string, identity: string | null | undefined): Promise<void> =>
  on((turn, activity) => failActivity(turn, activity, { failure: serverFailure(message, true), identity }));

async function complete(
  engine: Engine,
  on: OnActivity,
  { result, identity, workerVersion }: Pick<Completed, 'result' | 'identity' | 'workerVersion'>,
): Promise<object> {
  if (payloadsExceed(result, engine.limits.payloadSizeMax)) await failForGood(on, RESULT_TOO_LARGE, identity);
  else await on((turn, activity) => completeActivity(turn, activity, { result, identity, workerVersion }));
  return {};
}

async function cancel(engine: Engine, on: OnActivity, { details, identity }: Pick<Canceled, 'details' | 'identity'>): Promise<object> {
  if (payloadsExceed(details, engine.limits.payloadSizeMax)) {
    await failForGood(on, CANCEL_DETAILS_TOO_LARGE, identity);
    return {};
  }
  await on((turn, activity) => {
    if (!activity.cancelRequestedEventId)
      throw invalidArgument('unable to mark activity as canceled without activity being request canceled first');
    cancelActivity(turn, activity, { details, identity });
  });
  return {};
}

/** The answer lists what of the failure could not be kept as it was. */
async function fail(
  engine: Engine,
  on: OnActivity,
  request: Pick<Failed, 'failure' | 'identity' | 'lastHeartbeatDetails' | 'workerVersion'>,
): Promise<{ failures?: Failure[] }> {
  const { payloadSizeMax, payloadSizeWarn } = engine.limits;
  const failures: Failure[] = [];
  let { failure, lastHeartbeatDetails } = request;
  if (payloadsExceed(lastHeartbeatDetails, payloadSizeMax)) {
    failures.push(serverFailure(HEARTBEAT_TOO_LARGE, true));
    lastHeartbeatDetails = undefined;
  }
  if (failure && failureSize(failure) > payloadSizeMax) {
    failure = storableFailure(failure, { sizeMax: payloadSizeMax, truncatedSizeMax: payloadSizeWarn });
    failures.push(failure);
  }
  const { identity, workerVersion } = request;
  await on((turn, activity) => failActivity(turn, activity, { failure, identity, lastHeartbeatDetails, workerVersion }));
  return failures.length > 0 ? { failures } : {};
}

async function heartbeat(engine: Engine, on: OnActivity, { details, identity }: Pick<Heartbeat, 'details' | 'identity'>): Promise<object> {
  if (payloadsExceed(details, engine.limits.payloadSizeMax)) {
    await failForGood(on, HEARTBEAT_TOO_LARGE, identity);
    return { cancelRequested: true };
  }
  const progress = await on((turn, activity) => heartbeatActivity(turn, activity, details, identity ?? ''));
  return { cancelRequested: progress.cancelRequested, activityPaused: progress.paused, activityReset: progress.reset };
}

export const activityAnswers = {
  async completed(engine: Engine, request: Completed, _call: Call) {
    const on = await byToken(engine, request);
    requireIdentity(request.identity, engine.limits.idLengthMax);
    return complete(engine, on, request);
  },
  async completedById(engine: Engine, request: CompletedById, _call: Call) {
    const on = await byIds(engine, request, { mayBeUnstarted: true });
    requireIdentity(request.identity, engine.limits.idLengthMax);
    return complete(engine, on, request);
  },
  async failed(engine: Engine, request: Failed, _call: Call) {
    const on = await byToken(engine, request);
    requireActivityFailure(request.failure);
    requireIdentity(request.identity, engine.limits.idLengthMax);
    return fail(engine, on, request);
  },
  async failedById(engine: Engine, request: FailedById, _call: Call) {
    const on = await byIds(engine, request);
    requireIdentity(request.identity, engine.limits.idLengthMax);
    requireRetryDelays(request.failure);
    return fail(engine, on, request);
  },
  async canceled(engine: Engine, request: Canceled, _call: Call) {
    const on = await byToken(engine, request);
    requireIdentity(request.identity, engine.limits.idLengthMax);
    return cancel(engine, on, request);
  },
  async canceledById(engine: Engine, request: CanceledById, _call: Call) {
    const on = await byIds(engine, request);
    requireIdentity(request.identity, engine.limits.idLengthMax);
    return cancel(engine, on, request);
  },
  async heartbeat(engine: Engine, request: Heartbeat, _call: Call) {
    return heartbeat(engine, await byToken(engine, request), request);
  },
  async heartbeatById(engine: Engine, request: HeartbeatById, _call: Call) {
    return heartbeat(engine, await byIds(engine, request), request);
  },
};
