/** The methods of the open API that this server has, each with its use case. What is not here answers UNIMPLEMENTED. */
import { activityAnswers } from './answer-activity-task.js';
import { answerQuery } from './answer-query.js';
import type { Call, Gate, Handlers } from './call.js';
import { completeWorkflowTaskCall } from './complete-workflow-task.js';
import { deleteNamespace, deprecateNamespace, updateNamespace } from './change-namespace.js';
import { activityControls } from './control-activity.js';
import { deleteRun } from './delete-run.js';
import { describeRun } from './describe-run.js';
import { describeTaskQueue, listPartitions } from './describe-task-queue.js';
import { requestCancelWorkflow, terminateWorkflow } from './end-run.js';
import type { Engine } from './engine.js';
import { executeMultiOperation } from './execute-multi-operation.js';
import { failWorkflowTaskCall } from './fail-workflow-task.js';
import { countRuns, listArchivedRuns, listClosedRuns, listOpenRuns, listRuns } from './list-runs.js';
import { admitNamespace } from './namespace-admission.js';
import { describeNamespace, listNamespaces, registerNamespace } from './namespace-calls.js';
import { pauseWorkflow, unpauseWorkflow } from './pause-run.js';
import { pollActivityTask, pollWorkflowTask } from './poll-task.js';
import { queryRun } from './query-run.js';
import { readHistory, readHistoryReverse } from './read-history.js';
import { resetWorkflow } from './reset-run.js';
import { resetStickyTaskQueue } from './reset-sticky.js';
import { shutDownWorker } from './shut-down-worker.js';
import { signalWithStart, signalWorkflow } from './signal-run.js';
import { refuseSwitchedOff, SWITCHED_OFF } from './switched-off.js';
import { addSearchAttributes, listSearchAttributes, removeSearchAttributes } from './search-attribute-calls.js';
import { startRun } from './start-run.js';
import { pollUpdate, updateRun } from './update-run.js';
import { updateRunOptions } from './update-options.js';
import { updateTaskQueueConfig } from './update-task-queue-config.js';
import { countWorkers, describeWorker, listWorkers, recordWorkerHeartbeat } from './worker-registry.js';

type UseCase<Request> = (engine: Engine, request: Request, call: Call) => Promise<object>;

/** Makes handlers of use cases: each finds the namespace of its request checked. */
function bindTo(engine: Engine) {
  return <Request extends object>(useCase: UseCase<Request>) =>
    (request: Request, call: Call) =>
      engine.load.serve(request, call, async (admitted) => {
        const admission = admitNamespace(engine, call.method, request);
        if (admission) await admission;
        return useCase(engine, request, admitted);
      });
}

export function workflowHandlers(engine: Engine): Handlers {
  const bind = bindTo(engine);
  const gate: Gate = {
    enter: (request, turn) => engine.load.startGate.enter(request, turn),
    leave: (request) => engine.load.startGate.leave(request),
  };
  const gated = <Bound extends object>(bound: Bound) => Object.assign(bound, { gate });
  return {
    RegisterNamespace: bind(registerNamespace),
    DescribeNamespace: bind(describeNamespace),
    UpdateNamespace: bind(updateNamespace),
    DeprecateNamespace: bind(deprecateNamespace),
    DescribeTaskQueue: bind(describeTaskQueue),
    ListTaskQueuePartitions: bind(listPartitions),
    UpdateTaskQueueConfig: bind(updateTaskQueueConfig),
    ListNamespaces: bind(listNamespaces),
    StartWorkflowExecution: gated(bind(startRun)),
    SignalWorkflowExecution: bind(signalWorkflow),
    SignalWithStartWorkflowExecution: gated(bind(signalWithStart)),
    RequestCancelWorkflowExecution: bind(requestCancelWorkflow),
    TerminateWorkflowExecution: bind(terminateWorkflow),
    ResetWorkflowExecution: bind(resetWorkflow),
    PauseWorkflowExecution: bind(pauseWorkflow),
    UnpauseWorkflowExecution: bind(unpauseWorkflow),
    DeleteWorkflowExecution: bind(deleteRun),
    UpdateWorkflowExecutionOptions: bind(updateRunOptions),
    DescribeWorkflowExecution: bind(describeRun),
    GetWorkflowExecutionHistory: bind(readHistory),
    GetWorkflowExecutionHistoryReverse: bind(readHistoryReverse),
    QueryWorkflow: bind(queryRun),
    UpdateWorkflowExecution: bind(updateRun),
    PollWorkflowExecutionUpdate: bind(pollUpdate),
    ExecuteMultiOperation: bind(executeMultiOperation),
    PollWorkflowTaskQueue: bind(pollWorkflowTask),
    RespondWorkflowTaskCompleted: bind(completeWorkflowTaskCall),
    RespondWorkflowTaskFailed: bind(failWorkflowTaskCall),
    RespondQueryTaskCompleted: bind(answerQuery),
    PollActivityTaskQueue: bind(pollActivityTask),
    RespondActivityTaskCompleted: bind(activityAnswers.completed),
    RespondActivityTaskCompletedById: bind(activityAnswers.completedById),
    RespondActivityTaskFailed: bind(activityAnswers.failed),
    RespondActivityTaskFailedById: bind(activityAnswers.failedById),
    RespondActivityTaskCanceled: bind(activityAnswers.canceled),
    RespondActivityTaskCanceledById: bind(activityAnswers.canceledById),
    RecordActivityTaskHeartbeat: bind(activityAnswers.heartbeat),
    RecordActivityTaskHeartbeatById: bind(activityAnswers.heartbeatById),
    ListWorkflowExecutions: bind(listRuns),
    ScanWorkflowExecutions: bind(listRuns),
    CountWorkflowExecutions: bind(countRuns),
    ListOpenWorkflowExecutions: bind(listOpenRuns),
    ListClosedWorkflowExecutions: bind(listClosedRuns),
    ListArchivedWorkflowExecutions: bind(listArchivedRuns),
    PauseActivity: bind(activityControls.pause),
    UnpauseActivity: bind(activityControls.unpause),
    ResetActivity: bind(activityControls.reset),
    UpdateActivityOptions: bind(activityControls.updateOptions),
    PauseActivityExecution: bind(activityControls.pauseOne),
    UnpauseActivityExecution: bind(activityControls.unpauseOne),
    ResetActivityExecution: bind(activityControls.resetOne),
    UpdateActivityExecutionOptions: bind(activityControls.updateOptionsOne),
    ResetStickyTaskQueue: bind(resetStickyTaskQueue),
    ShutdownWorker: bind(shutDownWorker),
    RecordWorkerHeartbeat: bind(recordWorkerHeartbeat),
    ListWorkers: bind(listWorkers),
    CountWorkers: bind(countWorkers),
    DescribeWorker: bind(describeWorker),
    ...Object.fromEntries(SWITCHED_OFF.map((method) => [method, bind(refuseSwitchedOff)])),
  };
}

export function operatorHandlers(engine: Engine): Handlers {
  const bind = bindTo(engine);
  return {
    AddSearchAttributes: bind(addSearchAttributes),
    RemoveSearchAttributes: bind(removeSearchAttributes),
    ListSearchAttributes: bind(listSearchAttributes),
    DeleteNamespace: bind(deleteNamespace),
  };
}
