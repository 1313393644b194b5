/** What every close has in common: it may not pass over unseen events, and parent and children hear of it. */
import { enums, type HistoryEvent } from '../api.js';
import type { CommandContext } from '../command-context.js';
import type { Turn } from '../turn.js';
import { TaskFault } from '../task-fault.js';
import { encodeEvent } from './run.js';

/** Refuses a closing command while there is something that the worker has not seen. */
export function refuseIfUnseen(context: CommandContext): void {
  if (context.unseenEvents) throw new TaskFault(enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, '');
}

/** Tells parent and children that this run has ended. A run that goes on as a new one says nothing to its parent. */
export function announceClose(turn: Turn, closeEvent: HistoryEvent, continues: boolean): void {
  const { state } = turn;
  const { info } = state;
  const origin = { namespaceId: info.namespaceId, namespace: info.namespace, workflowId: info.workflowId, runId: info.runId, initiatedEventId: 0 };
  if (info.parent && !continues) {
    const { namespaceId, workflowId, runId, initiatedEventId } = info.parent;
    turn.effect({
      type: 'message',
      message: {
        kind: 'child-closed',
        to: { namespaceId, workflowId, runId },
        origin: { ...origin, initiatedEventId },
        runId: info.runId,
        closeEvent: encodeEvent(closeEvent),
      },
    });
  }
  for (const child of Object.values(state.children)) {
    if (!child.runId || child.parentClosePolicy === enums.ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON) continue;
    turn.effect({
      type: 'message',
      message: {
        kind: 'parent-closed',
        to: { namespaceId: child.namespaceId, workflowId: child.workflowId, runId: child.runId },
        origin: { ...origin, initiatedEventId: child.initiatedEventId },
        policy: child.parentClosePolicy,
      },
    });
  }
  state.children = {};
}
