/** What every close has in common: it may not pass over unseen events, and parent and children hear of it. */
import { enums, type HistoryEvent } from '../api.js';
import type { CommandContext } from '../command-context.js';
import type { Turn } from '../turn.js';
import { TaskFault } from '../task-fault.js';
import { triggerCallbacks } from './callback.js';
import { encodeEvent } from './run.js';

/** Refuses a closing command while there is something that the worker has not seen. */
export function refuseIfUnseen(context: CommandContext): void {
  if (context.unseenEvents) throw new TaskFault(enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, '');
}

/** Tells parent, children and callbacks that this run, and with it its chain, has ended. */
export function announceClose(turn: Turn, closeEvent: HistoryEvent): void {
  tellParent(turn, closeEvent);
  tellChildren(turn);
  triggerCallbacks(turn);
}

/** A run that goes on as a new one says nothing to its parent; its children end with it, as their policies say. */
export const announceContinuation = (turn: Turn): void => tellChildren(turn);

function tellParent(turn: Turn, closeEvent: HistoryEvent): void {
  const { parent, workflowId, runId, firstRunId } = turn.state.info;
  if (!parent) return;
  turn.effect({
    type: 'message',
    message: {
      kind: 'child-closed',
      to: { namespaceId: parent.namespaceId, workflowId: parent.workflowId, runId: parent.runId },
      initiatedEventId: parent.initiatedEventId,
      workflowId,
      runId,
      firstRunId,
      closeEvent: encodeEvent(closeEvent),
    },
  });
}

/** The children's chains, wherever they have come to: the open run of the workflow id, if it began with the run that was started. */
function tellChildren(turn: Turn): void {
  const { namespaceId, workflowId, runId, baseRunIds } = turn.state.info;
  for (const child of Object.values(turn.state.children)) {
    if (!child.runId || child.parentClosePolicy === enums.ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON) continue;
    turn.effect({
      type: 'message',
      message: {
        kind: 'parent-closed',
        to: { namespaceId: child.namespaceId, workflowId: child.workflowId, runId: '' },
        parent: { namespaceId, workflowId, runId, formerRunIds: baseRunIds },
        firstRunId: child.runId,
        policy: child.parentClosePolicy,
      },
    });
  }
}
