/** What callers of a start are told: the run they have, with a link to the event that says so, or why they have none. */
import { enums, type temporal } from '../core/api.js';
import { detail, ServiceError } from '../core/errors.js';
import type { RunState } from '../core/run-state.js';

type StartResponse = temporal.api.workflowservice.v1.IStartWorkflowExecutionResponse;
type Link = temporal.api.common.v1.ILink;
const STARTED = enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;

/** A link to the first event of a run. */
export const startedLink = ({ info }: RunState): Link => ({
  workflowEvent: {
    namespace: info.namespace,
    workflowId: info.workflowId,
    runId: info.runId,
    eventRef: { eventId: 1 as never, eventType: STARTED },
  },
});

/** A link to the event that took a request id, which may not have its number yet. */
export const requestLink = ({ info }: RunState, requestId: string, eventType: number): Link => ({
  workflowEvent: { namespace: info.namespace, workflowId: info.workflowId, runId: info.runId, requestIdRef: { requestId, eventType } },
});

export const runAnswer = (state: RunState, started: boolean, link?: Link): StartResponse => ({
  runId: state.info.runId,
  firstExecutionRunId: state.info.firstRunId,
  started,
  status: state.status,
  link: link ?? startedLink(state),
});

export const alreadyStarted = (state: RunState, message: string): ServiceError =>
  new ServiceError('ALREADY_EXISTS', message, [
    detail('WorkflowExecutionAlreadyStartedFailure', {
      startRequestId: state.info.createRequestId,
      runId: state.info.runId,
      firstExecutionRunId: state.info.firstRunId,
    }),
  ]);

const named = ({ info }: RunState): string => `WorkflowId: ${info.workflowId}, RunId: ${info.runId}.`;

export const stillRunning = (state: RunState): ServiceError =>
  alreadyStarted(state, `Workflow execution is already running. ${named(state)}`);

export const finishedBefore = (state: RunState, policy: string, how = ''): ServiceError =>
  alreadyStarted(state, `Workflow execution already finished${how}. ${named(state)} Workflow Id reuse policy: ${policy}.`);
