/** Starts the children that a run has asked for: their first events and the parent's word of it in one commit. */
import { enums, type HistoryEvent, toNumber } from '../core/api.js';
import { ServiceError } from '../core/errors.js';
import { childRun, type InitiatedAttributes, recordChildRefused, recordChildStarted, unstartedChild } from '../core/kinds/child-run.js';
import { firstCronMs } from '../core/kinds/retry-and-cron.js';
import { beginRun, isOpenStatus, isRunning, scheduleFirstTask } from '../core/kinds/run.js';
import type { OutboxMessage } from '../core/message.js';
import type { Child } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import type { RunName } from '../storage/runs.js';
import type { Engine } from './engine.js';
import { eventsById } from './events-of.js';
import type { CachedRun } from './run-cache.js';
import { terminateForStart } from './start-run.js';
import { transact } from './transact.js';

const REUSE = enums.WorkflowIdReusePolicy;
const STATUS = enums.WorkflowExecutionStatus;
const REFUSED = enums.StartChildWorkflowExecutionFailedCause;
const ALREADY_EXISTS = REFUSED.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;

/** What was found about a child's workflow id, before the decision. */
interface Found {
  initiated: HistoryEvent;
  attributes: InitiatedAttributes;
  /** Why it may not start; 0 = it may. */
  refusedCause: number;
  /** The newest run of that workflow id. */
  after: string | undefined;
  /** An open run that has to make room first. */
  terminate: string | undefined;
}

const initiatedEventIdOf = ({ message }: OutboxMessage): number => (message.kind === 'start-child' ? message.initiatedEventId : 0);

/** All messages are for the same parent. */
export async function startChildren(engine: Engine, messages: readonly OutboxMessage[]): Promise<void> {
  const { runId } = messages[0]!.message.to;
  let left = messages;
  const chosen = new Map<string, string>();
  while (left.length > 0) {
    const found = new Map<number, Found>();
    let outcome: Outcome;
    try {
      outcome = await transact(engine, runId, (turn) => startAll(turn, left, found, chosen), {
        prepare: (run) => lookUp(engine, run, left, found),
      });
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'NOT_FOUND') throw error;
      outcome = { nothingToDo: left.map((m) => m.id), blocked: [] }; // the parent is gone
    }
    if (outcome.nothingToDo.length > 0) await engine.outbox.remove(outcome.nothingToDo);
    for (const { message, by, runId: childRunId } of outcome.blocked) {
      chosen.set(message.id, childRunId);
      await makeRoom(engine, by, childRunId);
    }
    left = outcome.blocked.map((b) => b.message);
  }
}

interface Outcome {
  nothingToDo: string[];
  /** Children that an open run of their workflow id stands in the way of. */
  blocked: { message: OutboxMessage; by: string; runId: string }[];
}

function startAll(
  turn: Turn,
  messages: readonly OutboxMessage[],
  found: ReadonlyMap<number, Found>,
  chosen: ReadonlyMap<string, string>,
): Outcome {
  const outcome: Outcome = { nothingToDo: [], blocked: [] };
  const started = new Set<string>();
  for (const message of messages) {
    const child = isRunning(turn.state) ? unstartedChild(turn.state, initiatedEventIdOf(message)) : undefined;
    const facts = child && found.get(child.initiatedEventId);
    if (!child || !facts) {
      outcome.nothingToDo.push(message.id);
      continue;
    }
    if (facts.terminate) {
      outcome.blocked.push({ message, by: facts.terminate, runId: turn.context.newRunId(facts.terminate) });
      continue;
    }
    const name = `${child.namespaceId}/${child.workflowId}`;
    const refusedCause = facts.refusedCause || (started.has(name) ? ALREADY_EXISTS : 0);
    if (refusedCause) recordChildRefused(turn, child, refusedCause, facts.attributes.control);
    else startOne(turn, child, facts, chosen.get(message.id) ?? turn.context.newRunId(facts.after));
    started.add(name);
    turn.takenMessages.push(message.id);
  }
  return outcome;
}

function startOne(turn: Turn, child: Child, { initiated, attributes }: Found, runId: string): void {
  const { context, nowMs } = turn;
  const backoffMs = firstCronMs(attributes.cronSchedule, nowMs);
  const next = beginRun(childRun(turn.state, initiated, runId, { nowMs, backoffMs }), context);
  scheduleFirstTask(next);
  turn.effect({ type: 'new-run', turn: next });
  recordChildStarted(turn, child, runId, attributes.header);
}

/** Reads what the decision needs: the events that ask for the children, and who has their workflow ids now. */
async function lookUp(engine: Engine, run: CachedRun, messages: readonly OutboxMessage[], found: Map<number, Found>): Promise<void> {
  found.clear();
  if (!isRunning(run.state)) return;
  const ids = messages.map(initiatedEventIdOf).filter((id) => unstartedChild(run.state, id));
  const initiated = await eventsById(engine, run, ids);
  const current = await whoHas(engine, initiated);
  for (const event of initiated) {
    const attributes = event.startChildWorkflowExecutionInitiatedEventAttributes!;
    found.set(toNumber(event.eventId), judge(run, event, attributes, current(attributes)));
  }
}

/** The newest run of a child's workflow id; null when its namespace is gone. */
type WhoHas = (child: InitiatedAttributes) => RunName | undefined | null;

/** One question for all children that go into the same namespace. */
async function whoHas(engine: Engine, initiated: readonly HistoryEvent[]): Promise<WhoHas> {
  const wanted = new Map<string, string[]>();
  for (const { startChildWorkflowExecutionInitiatedEventAttributes: child } of initiated) {
    const ids = wanted.get(child!.namespaceId!) ?? [];
    ids.push(child!.workflowId!);
    wanted.set(child!.namespaceId!, ids);
  }
  const answers = new Map<string, Map<string, RunName> | null>();
  for (const [namespaceId, ids] of wanted) {
    const namespace = await engine.registry.byId(namespaceId);
    const there = namespace && namespace.state !== enums.NamespaceState.NAMESPACE_STATE_DELETED;
    answers.set(namespaceId, there ? await engine.runs.currents(namespaceId, ids) : null);
  }
  return ({ namespaceId, workflowId }) => {
    const runs = answers.get(namespaceId!);
    return runs ? runs.get(workflowId!) : null;
  };
}

function judge(parent: CachedRun, initiated: HistoryEvent, attributes: InitiatedAttributes, current: RunName | undefined | null): Found {
  const facts: Found = { initiated, attributes, refusedCause: 0, after: current?.runId, terminate: undefined };
  if (current === null) return { ...facts, refusedCause: REFUSED.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND };
  if (!current) return facts;
  const open = isOpenStatus(current.status);
  const refused = { ...facts, refusedCause: ALREADY_EXISTS };
  switch (attributes.workflowIdReusePolicy) {
    case REUSE.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING:
      if (current.runId === parent.state.info.runId) return refused; // a run does not end itself to start its child
      return open ? { ...facts, terminate: current.runId } : facts;
    case REUSE.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
      return refused;
    case REUSE.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY:
      return open || current.status === STATUS.WORKFLOW_EXECUTION_STATUS_COMPLETED ? refused : facts;
    default:
      return open ? refused : facts;
  }
}

/** Ends an open run so that a child may have its workflow id. */
async function makeRoom(engine: Engine, runId: string, childRunId: string): Promise<void> {
  try {
    await transact(engine, runId, (turn) => {
      if (isRunning(turn.state)) terminateForStart(turn, childRunId);
    });
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'NOT_FOUND') throw error;
  }
}
