/** The one path of every change of a run: load -> decide -> commit -> effects. One transition at a time for each run on this node. */
import { nextDeadline } from '../core/deadline.js';
import { indexedValues } from '../core/list-query/indexed-values.js';
import { invalidArgument, notFound, type ServiceError, unavailable } from '../core/errors.js';
import { takeApprovalChanges } from '../core/kinds/approval.js';
import { announceClose } from '../core/kinds/close.js';
import { isRunning, terminateRun } from '../core/kinds/run.js';
import { nearLimit, overLimit, relieveBuffer } from '../core/size-limits.js';
import { Turn } from '../core/turn.js';
import { SENDER_DELIVERS_MS } from '../storage/commit.js';
import type { CommitItem, RunWrite } from '../storage/commit-item.js';
import { DatabaseLost } from '../storage/database.js';
import type { HistoryRow } from '../storage/history.js';
import type { LoadedRun } from '../storage/runs.js';
import type { Engine } from './engine.js';
import { noSuchRun } from './find-run.js';
import { deliver, giveBack, type HandedOut, handOut, holdOn } from './hand-out.js';
import type { CachedRun } from './run-cache.js';
import { lookSoon } from './update-status.js';
import { isWorkedOnHere } from './watch-run.js';
import { deliverLater } from './when-it-answers.js';

/** Races that one transition may lose before its caller is told to come again. */
const ATTEMPTS_MAX = 30;

export interface TransactOptions<R> {
  /** The workflow id that the caller named, for the error when there is no such run. */
  workflowId?: string;
  /** Row of the task queue that this transition takes. */
  takenTask?: number;
  /** The stored deadline has passed: write the true one. */
  deadlineFired?: boolean;
  /** The run as it was read a moment ago: a hint like the cache, which saves a read where many runs are read at once. */
  loaded?: LoadedRun;
  /** Reads what the decision needs besides the state. */
  prepare?: (run: CachedRun) => Promise<void> | void;
  /** Runs after the commit, before the next transition of this run: answers are built here. */
  after?: (run: CachedRun, result: R) => Promise<void> | void;
}

/** A request id that the run has taken before. */
export class DuplicateRequest extends Error {}

/** A message that was to be taken in has been taken in before, by this or another node. */
export class MessageGone extends Error {}

/** The transition would make its run larger than a run may be. */
class RunTooLarge extends Error {}

export const runNotFound = (runId: string): ServiceError => notFound(`workflow execution not found: run ${runId}`);

export async function transact<R>(
  engine: Engine,
  runId: string,
  decide: (turn: Turn, run: CachedRun) => R,
  options: TransactOptions<R> = {},
): Promise<R> {
  try {
    return await transactOnce(engine, runId, decide, options);
  } catch (error) {
    if (!(error instanceof RunTooLarge)) throw error;
    await terminateTooLarge(engine, runId, error.message);
    throw invalidArgument(error.message);
  }
}

/** A run that has outgrown its limits ends; whoever asked for what it had no room for is told why. */
async function terminateTooLarge(engine: Engine, runId: string, reason: string): Promise<void> {
  engine.log.warn({ runId, reason }, 'a run is terminated because it has grown too large');
  await transactOnce(engine, runId, (turn) => {
    if (isRunning(turn.state)) announceClose(turn, terminateRun(turn, { reason, identity: 'history-service' }));
  });
}

function transactOnce<R>(
  engine: Engine,
  runId: string,
  decide: (turn: Turn, run: CachedRun) => R,
  options: TransactOptions<R> = {},
): Promise<R> {
  return engine.serial.run(runId, async () => {
    try {
      return await decideAndCommit(engine, runId, decide, options);
    } finally {
      engine.cache.letGo(runId);
    }
  });
}

async function decideAndCommit<R>(
  engine: Engine,
  runId: string,
  decide: (turn: Turn, run: CachedRun) => R,
  options: TransactOptions<R>,
): Promise<R> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const known = engine.cache.take(runId);
    const read = attempt === 1 ? options.loaded : undefined;
    const hint = known && !(read && read.version > known.version) ? known : read && fresh(read);
    const run = hint ?? (await loadRun(engine, runId));
    if (!run) throw options.workflowId === undefined ? runNotFound(runId) : noSuchRun(options.workflowId, runId);
    const outcome = await attemptOnce(engine, run, decide, options, { isHint: hint !== undefined, isOurs: hint !== undefined && hint === known });
    if (outcome) return outcome.result;
  }
  throw unavailable('The workflow is too busy; please retry.');
}

/** Decides and commits once. Undefined: decide again on what the database says. */
async function attemptOnce<R>(
  engine: Engine,
  run: CachedRun,
  decide: (turn: Turn, run: CachedRun) => R,
  options: TransactOptions<R>,
  { isHint, isOurs }: { isHint: boolean; isOurs: boolean },
): Promise<{ result: R } | undefined> {
  await options.prepare?.(run);
  const turn = new Turn(run.state, engine.turnContext());
  let result: R;
  try {
    result = decide(turn, run);
    relieveBuffer(turn);
    const problem = overLimit(turn);
    if (problem) throw new RunTooLarge(problem);
  } catch (error) {
    if (isHint) return undefined; // a refusal counts only on fresh state
    throw error;
  }
  if (!turn.changed) {
    if (isHint) return undefined;
    if (!engine.otherNodes()) engine.cache.put(run); // whose run it is is told by changing it
    await options.after?.(run, result);
    return { result };
  }
  const out = handOut(engine, turn);
  const item = commitItem(turn, out, { version: run.version, deadlineMs: run.deadlineMs, rewrite: options.deadlineFired === true });
  if (options.takenTask !== undefined) item.takenTasks.push(options.takenTask);
  const committed = await commit(engine, item, out);
  if (!committed) return undefined;
  const warning = nearLimit(turn);
  if (warning) engine.log.warn({ runId: turn.state.info.runId, workflowId: turn.state.info.workflowId }, warning);
  await settle(engine, run, turn, item, { out, isOurs }, () => options.after?.(run, result));
  return { result };
}

/** Writes an item. False when it lost its race; throws DuplicateRequest when a request id was taken. */
export async function commit(engine: Engine, item: CommitItem, out: HandedOut): Promise<boolean> {
  let outcome: Awaited<ReturnType<Engine['committer']['commit']>>;
  try {
    outcome = await engine.committer.commit(item);
  } catch (error) {
    if (error instanceof DatabaseLost) {
      holdOn(engine, out);
      deliverLater(engine, item.messages);
    } else giveBack(engine, out);
    throw error;
  }
  if (outcome === 'done') {
    if (item.messages.length > 0) {
      engine.courier.send(item.messages);
      engine.messagesAt(engine.clock.now() + SENDER_DELIVERS_MS); // those for which it had no room
    }
    return true;
  }
  giveBack(engine, out);
  if (outcome === 'duplicate') throw new DuplicateRequest();
  if (outcome === 'gone') throw new MessageGone();
  return false;
}

async function loadRun(engine: Engine, runId: string): Promise<CachedRun | undefined> {
  const loaded = await engine.runs.load(runId);
  return loaded && fresh(loaded);
}

/** A run as it was read, with nothing of its history at hand. */
export const fresh = (loaded: LoadedRun): CachedRun => ({ ...loaded, recent: [], recentFrom: loaded.state.nextEventId });

/** Everything that one transition writes: its run, the runs that begin with it, tasks and messages. */
export function commitItem(turn: Turn, out: HandedOut, read: { version: number; deadlineMs: number | null; rewrite: boolean }): CommitItem {
  const item: CommitItem = {
    runs: [],
    copies: [],
    tasks: out.tasks,
    takenTasks: [],
    requests: [],
    messages: [],
    takenMessages: [],
    approvals: [],
  };
  addTurn(item, turn, read);
  return item;
}

/** Adds a turn (and the new runs it leads to) to an item. */
export function addTurn(item: CommitItem, turn: Turn, read: { version: number; deadlineMs: number | null; rewrite: boolean }): void {
  const { state } = turn;
  state.transitions += 1;
  for (const approval of takeApprovalChanges(turn)) item.approvals.push({ run: state, approval });
  item.runs.push(runWrite(turn, read));
  for (const requestId of turn.requestIds) item.requests.push({ runId: state.info.runId, requestId });
  item.takenMessages.push(...turn.takenMessages);
  for (const effect of turn.effects) {
    if (effect.type === 'message') item.messages.push({ id: turn.context.newId(), message: effect.message });
    else if (effect.type === 'other-run')
      addTurn(item, effect.turn as Turn, { version: effect.version, deadlineMs: effect.deadlineMs, rewrite: false });
    else if (effect.type === 'new-run') {
      const next = effect.turn as Turn;
      addTurn(item, next, { version: 0, deadlineMs: null, rewrite: false });
      if (effect.takesOver) item.copies.push({ runId: next.state.info.runId, ...effect.takesOver });
    }
  }
}

function runWrite(turn: Turn, read: { version: number; deadlineMs: number | null; rewrite: boolean }): RunWrite {
  const { state } = turn;
  const due = nextDeadline(state, turn.context.reachableSinceMs);
  return {
    state,
    expectedVersion: read.version,
    closedBefore: turn.closedBefore,
    firstOfWorkflow: false,
    ...deadlineColumn(turn, due, read),
    infoChanged: turn.infoChanged,
    memoChanged: turn.memoChanged,
    searchAttributesChanged: turn.searchAttributesChanged,
    indexed: turn.searchAttributesChanged
      ? indexedValues(state.searchAttributes, turn.context.attributeTypes(state.info.namespace))
      : undefined,
    events: turn.written.finish(),
    firstEventId: turn.firstEventId,
    lastEventId: state.nextEventId - 1,
    batchStarts: turn.batchStarts.slice(1),
  };
}

/**
 * The stored deadline moves earlier at once and later only when it fires, so that most updates leave its index alone; or when the run begins to wait
 * for nothing but a timer, in which case it would fire in vain for certain.
 * A new run stores one no later than its first workflow task's timeout would be, which the hand-out of that task then need not change.
 */
function deadlineColumn(
  turn: Turn,
  due: number,
  read: { deadlineMs: number | null; rewrite: boolean },
): { deadlineMs: number | null; clearDeadline: boolean } {
  if (!isRunning(turn.state)) return { deadlineMs: null, clearDeadline: true };
  if (turn.isNew) {
    const first = turn.nowMs + turn.state.info.workflowTaskTimeoutMs;
    return { deadlineMs: Math.ceil(due > 0 && due < first ? due : first), clearDeadline: false };
  }
  if (read.rewrite) return due > 0 ? { deadlineMs: Math.ceil(due), clearDeadline: false } : { deadlineMs: null, clearDeadline: true };
  if (due > 0 && (read.deadlineMs === null || due < read.deadlineMs || firesInVain(turn, due, read.deadlineMs)))
    return { deadlineMs: Math.ceil(due), clearDeadline: false };
  return { deadlineMs: null, clearDeadline: false };
}

/** Whether only a timer is left to wait for, and the stored deadline is one that has become void. */
const firesInVain = ({ state }: Turn, due: number, storedMs: number): boolean =>
  due >= storedMs + 1_000 && !state.workflowTask && isEmpty(state.activities) && !isEmpty(state.timers);

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}

/** Puts a run back into the cache. Where others work on it, what this node remembers would soon be wrong. */
function remember(engine: Engine, run: CachedRun): void {
  if (!engine.otherNodes() || isWorkedOnHere(engine, run.state)) engine.cache.put(run);
}

/** After the commit: the cache, the pollers, whoever watches the run, other nodes. `isOurs`: this node made the transition before, too. */
async function settle(
  engine: Engine,
  run: CachedRun,
  turn: Turn,
  item: CommitItem,
  { out, isOurs }: { out: HandedOut; isOurs: boolean },
  after: () => Promise<void> | void,
): Promise<void> {
  const written = item.runs.find((r) => r.state === turn.state)!;
  moveOn(run, written);
  for (const effect of turn.effects) {
    if (effect.type === 'new-run') await settleNew(engine, effect.turn as Turn, item, out);
    else if (effect.type === 'other-run') settleOther(engine, effect.turn as Turn, item);
  }
  const mine = out.reservations.filter((r) => r.turn === turn);
  try {
    if (mine.length > 0) await deliver(engine, run, mine, turn);
    await after();
  } finally {
    remember(engine, run);
    announce(engine, turn, written, item, isOurs);
  }
}

/** Of another run that this commit has changed, too, this node remembers nothing but when it is due. */
function settleOther(engine: Engine, { state }: Turn, item: CommitItem): void {
  engine.cache.drop(state.info.runId);
  const deadlineMs = item.runs.find((r) => r.state === state)?.deadlineMs ?? null;
  if (deadlineMs !== null) engine.deadlineAt(deadlineMs);
}

/** The same for a run that began with this commit. */
export async function settleNew(
  engine: Engine,
  turn: Turn,
  item: CommitItem,
  out: HandedOut,
  after?: (run: CachedRun) => Promise<void> | void,
): Promise<void> {
  const run: CachedRun = { state: turn.state, version: 0, deadlineMs: null, recent: [], recentFrom: 1 };
  await settle(engine, run, turn, item, { out, isOurs: true }, () => after?.(run));
}

/** The run as it is after what was written. */
function moveOn(run: CachedRun, written: RunWrite): void {
  run.version += 1;
  if (written.clearDeadline) run.deadlineMs = null;
  else if (written.deadlineMs !== null) run.deadlineMs = written.deadlineMs;
  if (written.events) {
    const row: HistoryRow = {
      firstEventId: written.firstEventId,
      lastEventId: written.lastEventId,
      batchStarts: [...written.batchStarts],
      events: written.events as Buffer,
    };
    if (run.recent.length === 0) run.recentFrom = row.firstEventId;
    run.recent.push(row);
  }
}

function announce(engine: Engine, turn: Turn, written: RunWrite, item: CommitItem, isOurs: boolean): void {
  const { runId, namespaceId } = turn.state.info;
  if (written.deadlineMs !== null) engine.deadlineAt(written.deadlineMs);
  if (!isRunning(turn.state)) engine.load.meter.runClosed();
  const progress = { open: isRunning(turn.state), nextEventId: turn.state.nextEventId };
  engine.watchers.wake(runId, progress);
  if (engine.updates.tellOf(turn)) lookSoon(engine, runId);
  // a run that others may remember, or wait for
  if (engine.otherNodes() && (!isOurs || engine.interests.wants(runId, progress))) engine.notify({ kind: 'run', runId, ...progress });
  for (const task of item.tasks) {
    if (task.runId !== runId) continue;
    const queue = { namespaceId: task.namespaceId, kind: task.kind, queue: task.queue };
    engine.queues.added(queue, task.priority);
    if (task.claimUntilMs > 0 && task.taskId !== undefined) {
      engine.queues.keep(queue, { ...task, taskId: task.taskId, enqueuedMs: turn.nowMs }, task.claimUntilMs);
      continue;
    }
    engine.queues.backlog(queue);
    engine.notify({ kind: 'tasks', namespaceId, task: task.kind, queue: task.queue });
  }
}
