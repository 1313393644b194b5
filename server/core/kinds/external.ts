/** A signal or a cancel request that a run sends to another run: initiated by a command, delivered by a message, answered by another. */
import { api, enums, type HistoryEvent, int64, type temporal, toNumber } from '../api.js';
import type { External, RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { wake } from './workflow-task.js';

type SignalCommand = temporal.api.command.v1.ISignalExternalWorkflowExecutionCommandAttributes;
type CancelCommand = temporal.api.command.v1.IRequestCancelExternalWorkflowExecutionCommandAttributes;
type SignalInitiated = temporal.api.history.v1.ISignalExternalWorkflowExecutionInitiatedEventAttributes;
const T = enums.EventType;
const SignalCodec = api.history.v1.SignalExternalWorkflowExecutionInitiatedEventAttributes;

export interface SentBy {
  completedEventId: number;
  namespaceId: string;
}

/** A checked SignalExternalWorkflowExecution command. */
export function signalExternal(turn: Turn, command: SignalCommand, by: SentBy): void {
  const attributes: SignalInitiated = {
    workflowTaskCompletedEventId: int64(by.completedEventId),
    namespace: command.namespace,
    namespaceId: by.namespaceId,
    workflowExecution: command.execution,
    signalName: command.signalName,
    input: command.input,
    control: command.control,
    childWorkflowOnly: command.childWorkflowOnly,
    header: command.header,
  };
  const event = turn.append({
    eventType: T.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    signalExternalWorkflowExecutionInitiatedEventAttributes: attributes,
  });
  sendSignal(turn, toNumber(event.eventId), attributes);
}

/** Puts an initiated signal on its way. */
export function sendSignal(turn: Turn, initiatedEventId: number, attributes: SignalInitiated): void {
  const { namespaceId, workflowId, runId, baseRunIds } = turn.state.info;
  turn.effect({
    type: 'message',
    message: {
      kind: 'signal',
      to: {
        namespaceId: attributes.namespaceId!,
        workflowId: attributes.workflowExecution!.workflowId!,
        runId: attributes.workflowExecution!.runId ?? '',
      },
      from: { namespaceId, workflowId, runId, formerRunIds: baseRunIds, initiatedEventId },
      childOnly: attributes.childWorkflowOnly ?? false,
      requestId: turn.context.newId(),
      attributes: SignalCodec.encode(attributes).finish(),
    },
  });
}

export const decodeSignal = (attributes: Uint8Array): SignalInitiated => SignalCodec.decode(attributes);

/** A checked RequestCancelExternalWorkflowExecution command. */
export function cancelExternal(turn: Turn, command: CancelCommand, by: SentBy): void {
  const event = turn.append({
    eventType: T.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    requestCancelExternalWorkflowExecutionInitiatedEventAttributes: {
      workflowTaskCompletedEventId: int64(by.completedEventId),
      namespace: command.namespace,
      namespaceId: by.namespaceId,
      workflowExecution: { workflowId: command.workflowId, runId: command.runId },
      control: command.control,
      childWorkflowOnly: command.childWorkflowOnly,
      reason: command.reason,
    },
  });
  sendCancel(turn, toNumber(event.eventId), event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes!);
}

/** Puts an initiated cancel request on its way. */
export function sendCancel(
  turn: Turn,
  initiatedEventId: number,
  attributes: temporal.api.history.v1.IRequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
): void {
  const { namespaceId, workflowId, runId, baseRunIds } = turn.state.info;
  turn.effect({
    type: 'message',
    message: {
      kind: 'cancel',
      to: {
        namespaceId: attributes.namespaceId!,
        workflowId: attributes.workflowExecution!.workflowId!,
        runId: attributes.workflowExecution!.runId ?? '',
      },
      from: { namespaceId, workflowId, runId, formerRunIds: baseRunIds, initiatedEventId },
      childOnly: attributes.childWorkflowOnly ?? false,
      requestId: turn.context.newId(),
      reason: attributes.reason ?? '',
    },
  });
}

const target = (
  external: External,
): { namespace: string; namespaceId: string; workflowExecution: object; initiatedEventId: HistoryEvent['eventId'] } => ({
  namespace: external.namespace,
  namespaceId: external.namespaceId,
  workflowExecution: { workflowId: external.workflowId, runId: external.runId },
  initiatedEventId: int64(external.initiatedEventId),
});

/** How a signal went: a cause of 0 means that the target has it. */
export function recordSignalAnswer(turn: Turn, external: External, failedCause: number): void {
  const { control } = external;
  turn.emit(
    failedCause
      ? {
          eventType: T.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
          signalExternalWorkflowExecutionFailedEventAttributes: { cause: failedCause, ...target(external), control },
        }
      : {
          eventType: T.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
          externalWorkflowExecutionSignaledEventAttributes: { ...target(external), control },
        },
  );
  wake(turn);
}

/** How a cancel request went: a cause of 0 means that the target has it. */
export function recordCancelAnswer(turn: Turn, external: External, failedCause: number): void {
  turn.emit(
    failedCause
      ? {
          eventType: T.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
          requestCancelExternalWorkflowExecutionFailedEventAttributes: { cause: failedCause, ...target(external) },
        }
      : {
          eventType: T.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
          externalWorkflowExecutionCancelRequestedEventAttributes: target(external),
        },
  );
  wake(turn);
}

interface InitiatedExternal {
  namespace?: string | null;
  namespaceId?: string | null;
  workflowExecution?: temporal.api.common.v1.IWorkflowExecution | null;
  control?: string | null;
}

function external(state: RunState, event: HistoryEvent, attributes: InitiatedExternal): External {
  return {
    initiatedEventId: toNumber(event.eventId),
    namespace: attributes.namespace || state.info.namespace,
    namespaceId: attributes.namespaceId ?? '',
    workflowId: attributes.workflowExecution?.workflowId ?? '',
    runId: attributes.workflowExecution?.runId ?? '',
    control: attributes.control ?? '',
  };
}

export const externalEvents = {
  [T.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED](state: RunState, event: HistoryEvent): void {
    const initiated = external(state, event, event.signalExternalWorkflowExecutionInitiatedEventAttributes!);
    state.externalSignals[initiated.initiatedEventId] = initiated;
  },
  [T.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED](state: RunState, event: HistoryEvent): void {
    delete state.externalSignals[toNumber(event.externalWorkflowExecutionSignaledEventAttributes!.initiatedEventId)];
  },
  [T.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED](state: RunState, event: HistoryEvent): void {
    delete state.externalSignals[toNumber(event.signalExternalWorkflowExecutionFailedEventAttributes!.initiatedEventId)];
  },
  [T.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED](state: RunState, event: HistoryEvent): void {
    const initiated = external(state, event, event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes!);
    state.externalCancels[initiated.initiatedEventId] = initiated;
  },
  [T.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED](state: RunState, event: HistoryEvent): void {
    delete state.externalCancels[toNumber(event.externalWorkflowExecutionCancelRequestedEventAttributes!.initiatedEventId)];
  },
  [T.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED](state: RunState, event: HistoryEvent): void {
    delete state.externalCancels[toNumber(event.requestCancelExternalWorkflowExecutionFailedEventAttributes!.initiatedEventId)];
  },
};
