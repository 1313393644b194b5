/** What a worker gets when an activity task is handed to it. */
import { api, type HistoryEvent, type temporal, toDuration, toTimestamp } from '../core/api.js';
import { mergePriorities } from '../core/priority.js';
import { retryPolicyToApi } from '../core/retry-policy.js';
import type { Activity, RunState } from '../core/run-state.js';
import { encodeToken } from './task-token.js';

export type ActivityAnswer = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;
export const PollActivityTaskQueueResponse = api.workflowservice.v1.PollActivityTaskQueueResponse;

export function activityTaskAnswer(state: RunState, activity: Activity, scheduled: HistoryEvent): ActivityAnswer {
  const { info } = state;
  const attributes = scheduled.activityTaskScheduledEventAttributes!;
  return {
    taskToken: encodeToken({
      t: 'a',
      ns: info.namespaceId,
      wid: info.workflowId,
      run: info.runId,
      s: activity.scheduledEventId,
      a: activity.attempt,
      st: activity.stamp,
      id: activity.activityId,
      at: activity.startedMs,
    }),
    workflowNamespace: info.namespace,
    workflowType: { name: info.workflowType },
    workflowExecution: { workflowId: info.workflowId, runId: info.runId },
    activityType: { name: activity.type },
    activityId: activity.activityId,
    header: attributes.header,
    input: attributes.input,
    heartbeatDetails: activity.heartbeatDetails ? api.common.v1.Payloads.decode(activity.heartbeatDetails) : undefined,
    scheduledTime: toTimestamp(activity.scheduledMs),
    currentAttemptScheduledTime: toTimestamp(activity.attemptScheduledMs),
    startedTime: toTimestamp(activity.startedMs),
    attempt: activity.attempt,
    scheduleToCloseTimeout: toDuration(activity.scheduleToCloseMs),
    startToCloseTimeout: toDuration(activity.startToCloseMs),
    heartbeatTimeout: toDuration(activity.heartbeatMs),
    retryPolicy: activity.retry ? retryPolicyToApi(activity.retry) : undefined,
    priority: mergePriorities(info.priority, activity.priority),
  };
}
