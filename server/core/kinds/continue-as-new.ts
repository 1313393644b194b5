/** The continue-as-new: a run ends by command and goes on as a new one, with what the command says. */
import { api, enums, fromDuration, int64, type temporal, toDuration } from '../api.js';
import { completeRunTimeouts } from '../defaults/run-timeouts.js';
import { completeRetryPolicy, retryPolicyToApi } from '../retry-policy.js';
import type { Turn } from '../turn.js';
import { beginNextRun, optionalMs, type StartedAttributes } from './next-run.js';

type Attributes = temporal.api.command.v1.IContinueAsNewWorkflowExecutionCommandAttributes;
const T = enums.EventType;
const INITIATOR = enums.ContinueAsNewInitiator;

/** A checked ContinueAsNewWorkflowExecution command. Memo, search attributes, retry policy and cron are the command's, never the old run's. */
export function continueAsNew(turn: Turn, command: Attributes, completedEventId: number): void {
  const { info } = turn.state;
  const runId = turn.context.newRunId(info.runId);
  const shared = continuedWith(turn, command);
  turn.append({
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    workflowExecutionContinuedAsNewEventAttributes: {
      ...shared,
      newExecutionRunId: runId,
      workflowTaskCompletedEventId: int64(completedEventId),
      backoffStartInterval: command.backoffStartInterval,
      initiator: command.initiator,
      failure: command.failure,
      inheritBuildId: command.inheritBuildId,
    },
  });
  const isRetry = command.initiator === INITIATOR.CONTINUE_AS_NEW_INITIATOR_RETRY;
  beginNextRun(turn, {
    runId,
    initiator: command.initiator || INITIATOR.CONTINUE_AS_NEW_INITIATOR_WORKFLOW,
    attempt: isRetry ? info.attempt + 1 : 1,
    backoffMs: optionalMs(command.backoffStartInterval),
    callbacks: true,
    attributes: {
      ...shared,
      continuedFailure: command.failure,
      retryPolicy: command.retryPolicy ? retryPolicyToApi(completeRetryPolicy(command.retryPolicy)) : undefined,
      cronSchedule: command.cronSchedule,
      priority: info.priority ? api.common.v1.Priority.decode(info.priority) : undefined,
    },
  });
}

/** What the close event and the new run's first event say alike. Timeouts that the command leaves out are those of the old run. */
function continuedWith(turn: Turn, command: Attributes): StartedAttributes {
  const { info } = turn.state;
  const timeouts = completeRunTimeouts(
    {
      workflowExecutionTimeout: toDuration(info.executionTimeoutMs),
      workflowRunTimeout: fromDuration(command.workflowRunTimeout) ? command.workflowRunTimeout : toDuration(info.runTimeoutMs),
      workflowTaskTimeout: fromDuration(command.workflowTaskTimeout) ? command.workflowTaskTimeout : toDuration(info.workflowTaskTimeoutMs),
    },
    turn.limits,
  );
  return {
    workflowType: { name: command.workflowType?.name || info.workflowType },
    taskQueue: { name: command.taskQueue?.name || info.taskQueue, kind: enums.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    input: command.input,
    workflowRunTimeout: toDuration(timeouts.runMs),
    workflowTaskTimeout: toDuration(timeouts.taskMs),
    lastCompletionResult: command.lastCompletionResult,
    header: command.header,
    memo: command.memo,
    searchAttributes: command.searchAttributes,
  };
}
