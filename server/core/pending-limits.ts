/** How much a run may have under way at one time. A command beyond that fails its workflow task. */
import { enums } from './api.js';
import { TaskFault } from './task-fault.js';
import type { Turn } from './turn.js';

const CAUSE = enums.WorkflowTaskFailedCause;

function requireRoom(pending: object, limit: number, cause: number, what: string): void {
  const count = Object.keys(pending).length;
  if (count >= limit) throw new TaskFault(cause, `the number of pending ${what}, ${count}, has reached the per-workflow limit of ${limit}`);
}

export const requireRoomForActivity = ({ state, limits }: Turn): void =>
  requireRoom(
    state.activities,
    limits.pendingActivitiesMax,
    CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
    'activities',
  );

export const requireRoomForChild = ({ state, limits }: Turn): void =>
  requireRoom(
    state.children,
    limits.pendingChildrenMax,
    CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
    'child workflow executions',
  );

export const requireRoomForSignal = ({ state, limits }: Turn): void =>
  requireRoom(
    state.externalSignals,
    limits.pendingSignalsMax,
    CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
    'signals to external workflows',
  );

export const requireRoomForCancel = ({ state, limits }: Turn): void =>
  requireRoom(
    state.externalCancels,
    limits.pendingCancelsMax,
    CAUSE.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
    'requests to cancel external workflows',
  );
