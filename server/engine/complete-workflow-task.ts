/** RespondWorkflowTaskCompleted: the commands of a worker become events, or the task fails with the reason. */
import { enums, type temporal, toNumber } from '../core/api.js';
import type { CommandContext } from '../core/command-context.js';
import { handleCommands } from '../core/commands.js';
import { invalidArgument, notFound } from '../core/errors.js';
import { isRunning, terminateRun } from '../core/kinds/run.js';
import { announceClose } from '../core/kinds/close.js';
import { startActivity } from '../core/kinds/activity.js';
import { completeWorkflowTask, failWorkflowTask, scheduleWorkflowTask, serverFailure, startWorkflowTask } from '../core/kinds/workflow-task.js';
import type { Activity, WorkflowTask } from '../core/run-state.js';
import { TaskFault } from '../core/task-fault.js';
import type { Turn } from '../core/turn.js';
import { activityTaskAnswer, scheduledEventOf } from './activity-task-answer.js';
import { answerRidingQueries } from './answer-query.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import type { CachedRun } from './run-cache.js';
import { commandRules, knowNamespaces } from './command-rules.js';
import { decodeToken, type WorkflowTaskToken } from './task-token.js';
import { transact } from './transact.js';
import { workflowTaskAnswerMessage } from './workflow-task-answer.js';
import { decodeEvents } from './raw-history.js';

type Request = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type Response = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse;

const taskNotFound = (): Error => notFound('Workflow task not found.');

/** What a completion decided, besides the state. */
interface Completed {
  eager: Activity[];
  nextTask: boolean;
}

export async function completeWorkflowTaskCall(engine: Engine, request: Request, _call: Call): Promise<Response> {
  const token = decodeToken(request.taskToken, 'w');
  const response: Response = {};
  let started: CommandContext['started'];
  try {
    await transact<Completed>(engine, token.run, (turn) => decide(engine, turn, token, request, started), {
      async prepare(run) {
        await knowNamespaces(engine, run.state.info.namespace, request.commands ?? []);
        if (run.state.info.cron || run.state.info.retry) started ??= await startedOf(engine, run);
      },
      async after(run, completed) {
        answerRidingQueries(engine, token.run, request.queryResults ?? {});
        if (completed.eager.length > 0) response.activityTasks = await Promise.all(completed.eager.map((a) => eagerTask(engine, run, a)));
        if (completed.nextTask) response.workflowTask = await workflowTaskAnswerMessage(engine, run);
      },
    });
    return response;
  } catch (error) {
    if (!(error instanceof TaskFault)) throw error;
    await failWith(engine, token, request, error);
    throw invalidArgument(error.message);
  }
}

async function startedOf(engine: Engine, run: CachedRun): Promise<CommandContext['started']> {
  const row = run.recent[0]?.firstEventId === 1 ? run.recent[0] : await engine.histories.rowOf(run.state.info.runId, 1);
  return row ? (decodeEvents(row.events)[0]?.workflowExecutionStartedEventAttributes ?? undefined) : undefined;
}

/** The started task that a token names; anything else is gone. */
export function requireTask(turn: Turn, token: WorkflowTaskToken): WorkflowTask {
  const task = turn.state.workflowTask;
  if (!isRunning(turn.state) || !task?.startedEventId) throw taskNotFound();
  const same = task.scheduledEventId === token.s && task.startedEventId === token.e && task.attempt === token.a && task.startedMs === token.at;
  if (!same) throw taskNotFound();
  return task;
}

function decide(engine: Engine, turn: Turn, token: WorkflowTaskToken, request: Request, started: CommandContext['started']): Completed {
  const { state } = turn;
  const task = requireTask(turn, token);
  const { originalScheduledMs } = task;
  const heartbeatOnly = request.forceCreateNewWorkflowTask === true && !request.commands?.length && !request.messages?.length;
  const event = completeWorkflowTask(turn, request);
  takeSticky(turn, request);
  const startedChildren = new Set<string>();
  const context: CommandContext = {
    turn,
    completedEventId: toNumber(event.eventId),
    identity: request.identity ?? '',
    unseenEvents: state.buffered.length > 0,
    started,
    rules: commandRules(engine, turn, startedChildren),
    startedChildren,
    namespaceId: (name) => engine.registry.peek(name)?.id,
    needsTask: false,
    eager: [],
  };
  handleCommands(context, request.commands ?? []);
  if (!isRunning(state)) return { eager: [], nextTask: false };
  const eager = takeEagerly(engine, turn, context, request.identity ?? '');
  if (!request.forceCreateNewWorkflowTask && !context.needsTask && state.buffered.length === 0) return { eager, nextTask: false };
  scheduleWorkflowTask(turn, heartbeatOnly ? { originalScheduledMs } : {});
  return { eager, nextTask: request.returnNewWorkflowTask === true && takeNextTask(turn, request.identity ?? '') };
}

/** The next task rides in the answer: it is started at once and no poller gets it. */
function takeNextTask(turn: Turn, identity: string): boolean {
  startWorkflowTask(turn, { identity, requestId: 'request-from-RespondWorkflowTaskCompleted' });
  dropEffects(turn, (e) => e.type === 'workflow-task-ready');
  return true;
}

function dropEffects(turn: Turn, matches: (effect: Turn['effects'][number]) => boolean): void {
  const kept = turn.effects.filter((e) => !matches(e));
  turn.effects.length = 0;
  turn.effects.push(...kept);
}

function takeSticky(turn: Turn, request: Request): void {
  const attributes = request.stickyAttributes;
  const queue = attributes?.workerTaskQueue?.name;
  const timeout = attributes?.scheduleToStartTimeout;
  const ms = timeout ? toNumber(timeout.seconds) * 1000 + (timeout.nanos ?? 0) / 1e6 : 0;
  turn.state.sticky = queue ? { queue, scheduleToStartMs: ms } : null;
}

/** Activities that the worker asked to run itself start with this commit. */
function takeEagerly(engine: Engine, turn: Turn, context: CommandContext, identity: string): Activity[] {
  const taken = context.eager.filter((a) => !a.cancelRequestedEventId && turn.state.activities[a.scheduledEventId] === a);
  for (const activity of taken) startActivity(turn, activity, { identity, requestId: engine.ids.newId() });
  const ids = new Set(taken.map((a) => a.scheduledEventId));
  dropEffects(turn, (e) => e.type === 'activity-ready' && ids.has(e.scheduledEventId));
  return taken;
}

async function eagerTask(engine: Engine, run: CachedRun, activity: Activity): Promise<temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse> {
  return activityTaskAnswer(run.state, activity, await scheduledEventOf(engine, run, activity.scheduledEventId));
}

/** The answer cannot be accepted: the task fails with its cause; a run that cannot go on ends with it. */
async function failWith(engine: Engine, token: WorkflowTaskToken, request: Request, fault: TaskFault): Promise<void> {
  const unhandled = enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  await transact(engine, token.run, (turn) => {
    const task = requireTask(turn, token);
    // a task that keeps failing is left to time out, so that it is not tried in a tight circle
    if (task.attempt > 1 && fault.failedCause !== unhandled) return;
    failWorkflowTask(turn, {
      cause: fault.failedCause,
      failure: serverFailure(fault.message),
      identity: request.identity ?? '',
      binaryChecksum: request.binaryChecksum ?? '',
      workerVersion: request.workerVersionStamp,
    });
    if (fault.terminatesRun) announceClose(turn, terminateRun(turn, { reason: fault.message, identity: 'history-service' }));
    else scheduleWorkflowTask(turn);
  });
}
