/** The signal: a message from outside that the workflow sees in its history. */
import { enums, type HistoryEvent, type temporal } from '../api.js';
import type { RunState } from '../run-state.js';
import type { Turn } from '../turn.js';
import { noteDecision } from './approval.js';
import { wake } from './workflow-task.js';

const T = enums.EventType;

export interface Signal {
  name: string;
  input?: temporal.api.common.v1.IPayloads | null;
  header?: temporal.api.common.v1.IHeader | null;
  identity: string;
  requestId?: string;
  links?: temporal.api.common.v1.ILink[] | null;
  /** The run that sent it, when a workflow did. */
  externalExecution?: temporal.api.common.v1.IWorkflowExecution;
}

export function signalRun(turn: Turn, signal: Signal): void {
  turn.emit(signaledEvent(signal));
  wake(turn);
}

/** The signal as an event alone: the caller sees to the workflow task. */
export const appendSignal = (turn: Turn, signal: Signal): HistoryEvent => turn.append(signaledEvent(signal));

function signaledEvent(signal: Signal): HistoryEvent {
  return {
    eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    workflowExecutionSignaledEventAttributes: {
      signalName: signal.name,
      input: signal.input,
      header: signal.header,
      identity: signal.identity,
      requestId: signal.requestId,
      externalWorkflowExecution: signal.externalExecution,
    },
    links: signal.links,
  };
}

export const signalEvents = {
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED](state: RunState, event: HistoryEvent): void {
    state.signalCount += 1;
    noteDecision(state, event);
  },
};
