/** RespondWorkflowTaskCompleted: the commands of a worker become events, or the task fails with the reason. */
import { enums, fromDuration, type HistoryEvent, int64, type temporal, toNumber } from '../core/api.js';
import type { CommandContext } from '../core/command-context.js';
import { handleCommands } from '../core/commands.js';
import { failedPrecondition, invalidArgument, notFound } from '../core/errors.js';
import { serverFailure } from '../core/failure.js';
import { startActivity } from '../core/kinds/activity-attempt.js';
import { announceClose } from '../core/kinds/close.js';
import { isRunning, terminateRun } from '../core/kinds/run.js';
import { leavesNoTrace } from '../core/kinds/speculative-task.js';
import { dropSent, forgetUpdates, rejectUnprocessed } from '../core/kinds/update.js';
import { completeWorkflowTask, isPaused, scheduleWorkflowTask, startWorkflowTask } from '../core/kinds/workflow-task.js';
import { dropWorkflowTask, failWorkflowTask, timeOutWorkflowTask } from '../core/kinds/workflow-task-end.js';
import type { Activity, WorkflowTask } from '../core/run-state.js';
import { TaskFault } from '../core/task-fault.js';
import type { Turn } from '../core/turn.js';
import { Messages } from '../core/update-messages.js';
import { requireIdentity } from '../core/validate/identity.js';
import { requireWorkerVersion } from '../core/validate/poll.js';
import { refuse } from '../core/validate/problem.js';
import { stickyQueueProblem } from '../core/validate/task-queue.js';
import { activityTaskAnswer } from './activity-task-answer.js';
import { eagerStartId, INLINE_TASK_ID, startedBefore } from './answered-again.js';
import type { Call } from './call.js';
import { knowNamespaces, RulesOfCommands } from './command-rules.js';
import { commandsBefore, dropPages, isPaged, keepPage, validatePage } from './completion-pages.js';
import type { Engine } from './engine.js';
import { eventOf, startedEventOf } from './events-of.js';
import { requireTokenNamespace } from './task-namespace.js';
import { answerRidingQueries } from './riding-queries.js';
import { decodeToken, type WorkflowTaskToken } from './task-token.js';
import { transact } from './transact.js';
import { workflowTaskAnswerMessage } from './workflow-task-answer.js';

type Request = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type Response = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse;
const CAUSE = enums.WorkflowTaskFailedCause;

const taskNotFound = (): Error => notFound('Workflow task not found.');

/** An activity that starts with the commit that schedules it, and the event that does; unless that was written before. */
interface EagerActivity {
  activity: Activity;
  scheduled: HistoryEvent | undefined;
}

/** What a completion decided, besides the state. */
interface Completed {
  eager: EagerActivity[];
  nextTask: boolean;
  /** The worker has kept the task alive for too long without a step forward. */
  heartbeatTimedOut: boolean;
  /** Nothing came of a speculative task: the worker goes back to what it knew before. */
  dropped: boolean;
}

export async function completeWorkflowTaskCall(engine: Engine, request: Request, _call: Call): Promise<Response> {
  const token = decodeToken(request.taskToken, 'w');
  await requireTokenNamespace(engine, token, request.namespace);
  requireIdentity(request.identity, engine.limits.idLengthMax);
  requireWorkerVersion(request.workerVersionStamp, request.deploymentOptions);
  refuse(stickyQueueProblem(request.stickyAttributes?.workerTaskQueue, engine.limits.idLengthMax));
  if (isPaged(request)) validatePage(request);
  try {
    if (request.intermediatePage) return await takePage(engine, token, request);
    return request.pageNumber ? await completePaged(engine, token, request) : await complete(engine, token, request);
  } catch (error) {
    if (!(error instanceof TaskFault)) throw error;
    await failWith(engine, token, request, error);
    throw invalidArgument(error.message);
  }
}

async function takePage(engine: Engine, token: WorkflowTaskToken, request: Request): Promise<Response> {
  await transact(engine, token.run, (turn) => void requireTask(turn, token));
  await keepPage(engine, token, request);
  return {};
}

async function completePaged(engine: Engine, token: WorkflowTaskToken, request: Request): Promise<Response> {
  const earlier = await commandsBefore(engine, token, request.pageNumber!);
  request.commands = [...earlier, ...(request.commands ?? [])];
  const response = await complete(engine, token, request);
  await dropPages(engine, token).catch((err) => engine.log.debug({ err }, 'pages of an answer that was taken are left to be swept'));
  return response;
}

async function complete(engine: Engine, token: WorkflowTaskToken, request: Request): Promise<Response> {
  const response: Response = {};
  let started: CommandContext['started'];
  const { heartbeatTimedOut } = await transact<Completed>(engine, token.run, (turn) => decide(engine, turn, token, request, started), {
    async prepare(run) {
      await knowNamespaces(engine, run.state.info.namespace, request.commands ?? []);
      if (run.state.info.cron || run.state.info.retry) started ??= await startedEventOf(engine, run);
    },
    async after(run, completed) {
      answerRidingQueries(engine, request.queryResults ?? {});
      if (completed.eager.length > 0)
        response.activityTasks = await Promise.all(
          completed.eager.map(async ({ activity, scheduled }) => activityTaskAnswer(run.state, activity, scheduled ?? (await eventOf(engine, run, activity.scheduledEventId)))),
        );
      if (completed.dropped) response.resetHistoryEventId = int64(run.state.previousStartedEventId);
      if (completed.nextTask) response.workflowTask = await workflowTaskAnswerMessage(engine, run, { continues: true });
    },
  });
  if (heartbeatTimedOut) throw notFound('workflow task heartbeat timeout');
  return response;
}

/** The started task that a token names; undefined when it is gone. */
function findTask({ state: { info, workflowTask: task } }: Turn, token: WorkflowTaskToken): WorkflowTask | undefined {
  if (info.namespaceId !== token.ns || !task?.startedEventId) return undefined;
  const same =
    task.scheduledEventId === token.s && task.startedEventId === token.e && task.attempt === token.a && task.startedMs === token.at;
  return same ? task : undefined;
}

/** The started task that a token names; anything else is gone. */
export function requireTask(turn: Turn, token: WorkflowTaskToken): WorkflowTask {
  const task = isRunning(turn.state) ? findTask(turn, token) : undefined;
  if (!task) throw taskNotFound();
  return task;
}

/** What a completion is told that has been taken before; undefined when nothing has come of it that only its worker could do. */
function again({ state }: Turn, token: WorkflowTaskToken): Completed | undefined {
  const before = isRunning(state) && state.info.namespaceId === token.ns ? startedBefore(state, token) : undefined;
  return before && { eager: before.eager.map((activity) => ({ activity, scheduled: undefined })), nextTask: before.nextTask, heartbeatTimedOut: false, dropped: false };
}

function decide(engine: Engine, turn: Turn, token: WorkflowTaskToken, request: Request, started: CommandContext['started']): Completed {
  const { state } = turn;
  const repeated = findTask(turn, token) ? undefined : again(turn, token);
  if (repeated) return repeated;
  const { originalScheduledMs } = requireTask(turn, token);
  if (isPaused(state) && request.forceCreateNewWorkflowTask) {
    throw failedPrecondition('Workflow is paused and force create new workflow task is not allowed.');
  }
  const heartbeat = request.forceCreateNewWorkflowTask === true && !request.commands?.length && !request.messages?.length;
  const heartbeatTimedOut = heartbeat && turn.nowMs > originalScheduledMs + turn.limits.workflowTaskHeartbeatTimeoutMs;
  if (heartbeatTimedOut) {
    timeOutWorkflowTask(turn);
    turn.state.sticky = null;
    scheduleWorkflowTask(turn);
    return { eager: [], nextTask: false, heartbeatTimedOut, dropped: false };
  }
  const dropped = leavesNoTrace(state, request, turn.limits);
  let completedEventId = 0;
  if (dropped) dropWorkflowTask(turn);
  else completedEventId = toNumber(completeWorkflowTask(turn, request).eventId);
  takeSticky(turn, request);
  const context = new CompletionContext(engine, turn, request, completedEventId, started);
  turn.carryOut(() => handleCommands(context, request.commands ?? []));
  if (!isRunning(state)) {
    forgetUpdates(turn);
    return { eager: [], nextTask: false, heartbeatTimedOut, dropped };
  }
  if (!request.forceCreateNewWorkflowTask) rejectUnprocessed(turn);
  const eager = takeEagerly(turn, context, request.identity ?? '', eagerStartId(token));
  scheduleNextTask(context, request, heartbeat ? originalScheduledMs : undefined);
  return { eager, nextTask: request.returnNewWorkflowTask === true && takeNextTask(turn, request), heartbeatTimedOut, dropped };
}

function scheduleNextTask({ turn, needsTask }: CommandContext, request: Request, originalScheduledMs: number | undefined): void {
  const { state } = turn;
  if (request.forceCreateNewWorkflowTask || needsTask || state.buffered.length > 0) {
    scheduleWorkflowTask(turn, originalScheduledMs === undefined ? {} : { originalScheduledMs });
  } else if (state.updatesAdmitted.length > 0) {
    // updates came while the task ran; theirs need not be written when it goes straight to this worker
    scheduleWorkflowTask(turn, { kind: request.returnNewWorkflowTask ? 'speculative' : 'normal' });
  }
}

/** What the commands of one completion share. */
class CompletionContext implements CommandContext {
  readonly identity: string;
  readonly startedChildren = new Set<string>();
  readonly rules: RulesOfCommands;
  needsTask = false;
  readonly eager: Activity[] = [];
  readonly messages: Messages;

  constructor(
    private readonly engine: Engine,
    readonly turn: Turn,
    request: Request,
    readonly completedEventId: number,
    readonly started: CommandContext['started'],
  ) {
    this.identity = request.identity ?? '';
    this.rules = new RulesOfCommands(engine, turn, this.startedChildren);
    this.messages = new Messages(request.messages);
  }

  get unseenEvents(): boolean {
    return this.turn.state.buffered.length > 0; // fewer while commands are carried out: a cancelled timer takes its firing with it
  }

  readonly namespaceId = (name: string): string | undefined => this.engine.registry.peek(name)?.id;
}

/** The next task rides in the answer: it is started at once and no poller gets it. */
function takeNextTask(turn: Turn, { identity, forceCreateNewWorkflowTask, workerVersionStamp }: Request): boolean {
  if (!turn.state.workflowTask) return false;
  const requestId = INLINE_TASK_ID;
  const heartbeat = forceCreateNewWorkflowTask === true;
  startWorkflowTask(turn, { identity: identity ?? '', requestId, inline: true, heartbeat, workerVersion: workerVersionStamp });
  dropEffects(turn, (e) => e.type === 'workflow-task-ready');
  return true;
}

function dropEffects(turn: Turn, matches: (effect: Turn['effects'][number]) => boolean): void {
  const kept = turn.effects.filter((e) => !matches(e));
  turn.effects.length = 0;
  turn.effects.push(...kept);
}

function takeSticky(turn: Turn, { stickyAttributes }: Request): void {
  const queue = stickyAttributes?.workerTaskQueue?.name;
  turn.state.sticky = queue ? { queue, scheduleToStartMs: fromDuration(stickyAttributes.scheduleToStartTimeout) } : null;
}

/** Activities that the worker asked to run itself start with this commit. */
function takeEagerly(turn: Turn, context: CommandContext, identity: string, requestId: string): EagerActivity[] {
  if (isPaused(turn.state)) return [];
  const taken = context.eager.filter((a) => turn.state.activities[a.scheduledEventId] === a);
  for (const activity of taken) startActivity(turn, activity, { identity, requestId });
  const ids = new Set(taken.map((a) => a.scheduledEventId));
  dropEffects(turn, (e) => e.type === 'activity-ready' && ids.has(e.scheduledEventId));
  return taken.map((activity) => ({ activity, scheduled: turn.appended(activity.scheduledEventId)! }));
}

/** The answer cannot be accepted: the task fails with its cause; a run that cannot go on ends with it. */
async function failWith(engine: Engine, token: WorkflowTaskToken, request: Request, fault: TaskFault): Promise<void> {
  await transact(engine, token.run, (turn) => {
    const task = requireTask(turn, token);
    const unhandled = fault.failedCause === CAUSE.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
    if (!unhandled) dropSent(turn);
    // a task that keeps failing is left to time out, so that it is not tried in a tight circle
    if (task.attempt > 1 && !unhandled) return;
    failWorkflowTask(turn, {
      cause: fault.failedCause,
      failure: serverFailure(fault.message, false),
      identity: request.identity ?? '',
      binaryChecksum: request.binaryChecksum ?? '',
    });
    if (fault.terminatesRun) announceClose(turn, terminateRun(turn, { reason: fault.message, identity: 'history-service' }));
    else scheduleWorkflowTask(turn);
  });
}
