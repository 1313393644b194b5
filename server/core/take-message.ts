/** A message from another run arrives: what it does to the run it was found to be for. */
import { enums } from './api.js';
import { requestCancelRun } from './kinds/cancel.js';
import { recordChildClosed } from './kinds/child-run.js';
import { announceClose } from './kinds/close.js';
import { decodeSignal, recordCancelAnswer, recordSignalAnswer } from './kinds/external.js';
import { isRunning, terminateRun } from './kinds/run.js';
import { signalRun } from './kinds/signal.js';
import { isClosing } from './kinds/workflow-task.js';
import type { Message, OutboxMessage, Parent } from './message.js';
import type { RunState } from './run-state.js';
import type { Turn } from './turn.js';
import { runIsClosing } from './update-answers.js';

const SIGNAL_FAILED = enums.SignalExternalWorkflowExecutionFailedCause;
const CANCEL_FAILED = enums.CancelExternalWorkflowExecutionFailedCause;
export const SIGNAL_TARGET_NOT_FOUND = SIGNAL_FAILED.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
export const SIGNAL_NAMESPACE_NOT_FOUND = SIGNAL_FAILED.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
export const CANCEL_TARGET_NOT_FOUND = CANCEL_FAILED.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
export const CANCEL_NAMESPACE_NOT_FOUND = CANCEL_FAILED.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;

/** The name under which the server itself signals, cancels and terminates. */
const IDENTITY = 'history-service';

/**
 * What became of a message. `taken`: it is part of the turn, whose commit deletes it. `void`: there is nothing left for it to do.
 * `answer`: it changed nothing here, and its sender is to be told so (a failed cause; 0 = all is well). `moved`: the run was reset, and the
 * message is now for the run that took its place.
 */
export type Taken = 'taken' | 'void' | { answer: number } | { moved: string };

type Incoming = Exclude<Message, { kind: 'start-child' | 'callback' }>;
export type IncomingMessage = { id: string; message: Incoming };

export const isIncoming = (m: OutboxMessage): m is IncomingMessage => m.message.kind !== 'start-child' && m.message.kind !== 'callback';

export function takeMessage(turn: Turn, { id, message }: IncomingMessage): Taken {
  const taken = take(turn, message);
  if (taken === 'taken') turn.takenMessages.push(id);
  return taken;
}

function take(turn: Turn, message: Incoming): Taken {
  switch (message.kind) {
    case 'child-closed':
      return takeChildClosed(turn, message);
    case 'parent-closed':
      return takeParentClosed(turn, message);
    case 'signal':
      return takeSignal(turn, message);
    case 'cancel':
      return takeCancel(turn, message);
    case 'signal-answered': {
      const pending = turn.state.externalSignals[message.initiatedEventId];
      if (!isRunning(turn.state) || !pending) return 'void';
      recordSignalAnswer(turn, pending, message.failedCause);
      return 'taken';
    }
    case 'cancel-answered': {
      const pending = turn.state.externalCancels[message.initiatedEventId];
      if (!isRunning(turn.state) || !pending) return 'void';
      recordCancelAnswer(turn, pending, message.failedCause);
      return 'taken';
    }
  }
}

type Of<K extends Message['kind']> = Extract<Message, { kind: K }>;

function takeChildClosed(turn: Turn, message: Of<'child-closed'>): Taken {
  if (!isRunning(turn.state)) return turn.state.resetRunId ? { moved: turn.state.resetRunId } : 'void';
  const child = turn.state.children[message.initiatedEventId];
  if (!child) return 'void';
  if (child.workflowId !== message.workflowId || child.runId !== message.firstRunId) return 'void';
  recordChildClosed(turn, child, message.runId, message.closeEvent);
  return 'taken';
}

const isChildOf = ({ info }: RunState, parent: Parent): boolean =>
  info.parent?.workflowId === parent.workflowId && [parent.runId, ...parent.formerRunIds].includes(info.parent.runId);

function takeParentClosed(turn: Turn, message: Of<'parent-closed'>): Taken {
  const { state } = turn;
  const { parent } = message;
  if (!isRunning(state) || state.info.firstRunId !== message.firstRunId || !isChildOf(state, parent)) return 'void';
  if (message.policy === enums.ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE) {
    announceClose(turn, terminateRun(turn, { reason: 'by parent close policy', identity: IDENTITY }));
    return 'taken';
  }
  if (state.cancelRequested) return 'void';
  requestCancelRun(turn, {
    reason: '',
    identity: IDENTITY,
    requestId: '',
    external: { execution: { workflowId: parent.workflowId, runId: parent.runId } },
  });
  return 'taken';
}

function takeSignal(turn: Turn, message: Of<'signal'>): Taken {
  const { state } = turn;
  const { from } = message;
  if (!isRunning(state) || (message.childOnly && !isChildOf(state, from))) return { answer: SIGNAL_TARGET_NOT_FOUND };
  if (state.signalCount >= turn.limits.signalsPerRunMax) {
    return { answer: SIGNAL_FAILED.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED };
  }
  if (isClosing(state)) throw runIsClosing(); // it is brought again
  const attributes = decodeSignal(message.attributes);
  signalRun(turn, {
    name: attributes.signalName ?? '',
    input: attributes.input,
    header: attributes.header,
    identity: IDENTITY,
    requestId: message.requestId,
    externalExecution: { workflowId: from.workflowId, runId: from.runId },
  });
  turn.effect({ type: 'message', message: { kind: 'signal-answered', to: from, initiatedEventId: from.initiatedEventId, failedCause: 0 } });
  return 'taken';
}

function takeCancel(turn: Turn, message: Of<'cancel'>): Taken {
  const { state } = turn;
  const { from } = message;
  if (!isRunning(state)) return { answer: 0 }; // asking a closed run to stop is no error
  if (message.childOnly && !isChildOf(state, from)) return { answer: CANCEL_TARGET_NOT_FOUND };
  if (state.cancelRequested) return { answer: 0 };
  requestCancelRun(turn, {
    reason: message.reason,
    identity: IDENTITY,
    requestId: message.requestId,
    external: { initiatedEventId: from.initiatedEventId, execution: { workflowId: from.workflowId, runId: from.runId } },
  });
  turn.effect({ type: 'message', message: { kind: 'cancel-answered', to: from, initiatedEventId: from.initiatedEventId, failedCause: 0 } });
  return 'taken';
}

/** What the sender of a signal or cancel is told when no run could take it in. */
export function answerTo(message: Of<'signal'> | Of<'cancel'>, failedCause: number): Of<'signal-answered'> | Of<'cancel-answered'> {
  const { initiatedEventId, namespaceId, workflowId, runId } = message.from;
  const kind = message.kind === 'signal' ? 'signal-answered' : 'cancel-answered';
  return { kind, to: { namespaceId, workflowId, runId }, initiatedEventId, failedCause };
}
