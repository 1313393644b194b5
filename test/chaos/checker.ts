/**
 * Reads every history and table of a database and says what is wrong with them. It knows nothing of who wrote them: only what must hold for any
 * database of the engine once nothing is under way.
 */
import pg from 'pg';
import { isDeepStrictEqual } from 'node:util';
import { enums, fromDuration, fromTimestamp, type HistoryEvent, toNumber } from '../../server/core/api.js';
import { durableView, foldHistory } from '../../server/core/evolve.js';
import type { RunState } from '../../server/core/run-state.js';
import { decodeEvents } from '../../server/engine/raw-history.js';
import { decodeState, STATE_COLUMNS, type StateColumns } from '../../server/storage/snapshot-codec.js';

const TYPE = enums.EventType;
/** int8 as number, as the server reads it. */
const int8AsNumber: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
};

const OPEN = new Set<number>([enums.WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING, 8]);
const TERMINAL = new Set<number>([
  TYPE.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  TYPE.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  TYPE.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  TYPE.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  TYPE.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  TYPE.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

export interface CheckedRun {
  readonly runId: string;
  readonly workflowId: string;
  readonly open: boolean;
  readonly status: number;
  readonly state: RunState;
  readonly events: readonly HistoryEvent[];
}

export interface Checked {
  readonly runs: readonly CheckedRun[];
  readonly events: number;
  /** One sentence for each thing that is wrong; empty when all is well. */
  readonly problems: readonly string[];
}

const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
};

interface HistoryRow {
  run_id: string;
  first_event_id: string;
  last_event_id: string;
  batch_starts: string[] | null;
  events: Buffer;
}

/**
 * Checks a database on which nobody works at the moment.
 * @param unlike fields of the state that may differ from what the history yields, for runs of code that did not have them yet
 */
export async function checkDatabase(url: string, unlike: readonly string[] = []): Promise<Checked> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const problems: string[] = [];
    const runs = await client.query<StateColumns>({ text: `select ${STATE_COLUMNS} from runs order by run_id`, types: int8AsNumber });
    const rows = await client.query<HistoryRow>(
      'select run_id, first_event_id, last_event_id, batch_starts, events from history order by run_id, first_event_id',
    );
    const histories = groupBy(rows.rows, (row) => row.run_id);
    const checked = runs.rows.map((run) => checkRun(run, histories.get(run.run_id) ?? [], unlike, problems));
    for (const runId of histories.keys())
      if (!checked.some((run) => run.runId === runId)) problems.push(`history of a run that is not there: ${runId}`);
    checkOneOpen(runs.rows, problems);
    await checkLeftovers(client, checked, problems);
    return { runs: checked, events: checked.reduce((sum, run) => sum + run.events.length, 0), problems };
  } finally {
    await client.end();
  }
}

function checkRun(run: StateColumns, rows: readonly HistoryRow[], unlike: readonly string[], problems: string[]): CheckedRun {
  const wrong = (text: string): void => void problems.push(`${run.workflow_id} ${run.run_id}: ${text}`);
  const state = decodeState(run);
  const events = rows.flatMap((row) => checkRow(row, wrong));
  events.forEach((event, index) => {
    if (toNumber(event.eventId) !== index + 1) wrong(`event ${index + 1} has the id ${toNumber(event.eventId)}`);
  });
  if (run.next_event_id !== events.length + 1)
    wrong(`the row says that the next event is ${run.next_event_id}, the history holds ${events.length}`);
  const open = OPEN.has(run.status);
  checkEnd(events, open, wrong);
  checkTimers(events, wrong);
  checkAnswers(events, wrong);
  checkFold(state, events, unlike, wrong);
  return { runId: run.run_id, workflowId: run.workflow_id, open, status: run.status, state, events };
}

/** The events of a row, which are those that its columns name. */
function checkRow(row: HistoryRow, wrong: (text: string) => void): HistoryEvent[] {
  const events = decodeEvents(row.events);
  const [first, last] = [Number(row.first_event_id), Number(row.last_event_id)];
  if (events.length !== last - first + 1 || toNumber(events[0]?.eventId) !== first)
    wrong(`the row of events ${first} to ${last} holds ${events.length}, from ${toNumber(events[0]?.eventId)}`);
  let before = first;
  for (const start of (row.batch_starts ?? []).map(Number)) {
    if (start <= before || start > last)
      wrong(`a batch begins at ${start}, in the row of events ${first} to ${last}, after one that begins at ${before}`);
    before = start;
  }
  return events;
}

function checkEnd(events: readonly HistoryEvent[], open: boolean, wrong: (text: string) => void): void {
  if (events[0]?.eventType !== TYPE.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED) wrong('the first event is not that the run started');
  const ends = events.filter((event) => TERMINAL.has(event.eventType ?? 0));
  if (ends.length !== (open ? 0 : 1)) wrong(`${open ? 'an open' : 'a closed'} run has ${ends.length} terminal events`);
  if (!open && !TERMINAL.has(events.at(-1)?.eventType ?? 0)) wrong('the last event of a closed run is not a terminal one');
}

function checkTimers(events: readonly HistoryEvent[], wrong: (text: string) => void): void {
  for (const event of events) {
    const fired = event.timerFiredEventAttributes;
    if (!fired) continue;
    const started = events[toNumber(fired.startedEventId) - 1];
    const dueMs = fromTimestamp(started?.eventTime) + fromDuration(started?.timerStartedEventAttributes?.startToFireTimeout);
    const earlyMs = dueMs - fromTimestamp(event.eventTime);
    if (earlyMs > 0.001) wrong(`timer ${fired.timerId} fired ${earlyMs} ms early`);
  }
}

/** What is scheduled or started ends once at most. */
function checkAnswers(events: readonly HistoryEvent[], wrong: (text: string) => void): void {
  const ended = new Map<string, number>();
  const once = (what: string, id: unknown): void => {
    const key = `${what} ${String(id)}`;
    ended.set(key, (ended.get(key) ?? 0) + 1);
    if (ended.get(key) === 2) wrong(`${key} is there twice`);
  };
  for (const e of events) {
    const activity =
      e.activityTaskCompletedEventAttributes ??
      e.activityTaskFailedEventAttributes ??
      e.activityTaskTimedOutEventAttributes ??
      e.activityTaskCanceledEventAttributes;
    if (activity) once('the end of the activity', activity.scheduledEventId);
    if (e.activityTaskStartedEventAttributes) once('the start of the activity', e.activityTaskStartedEventAttributes.scheduledEventId);
    const timer = e.timerFiredEventAttributes ?? e.timerCanceledEventAttributes;
    if (timer) once('the end of the timer', timer.startedEventId);
    const child =
      e.childWorkflowExecutionCompletedEventAttributes ??
      e.childWorkflowExecutionFailedEventAttributes ??
      e.childWorkflowExecutionTerminatedEventAttributes;
    if (child) once('the end of the child', child.initiatedEventId);
    const task = e.workflowTaskCompletedEventAttributes ?? e.workflowTaskFailedEventAttributes ?? e.workflowTaskTimedOutEventAttributes;
    if (task) once('the end of the workflow task', task.scheduledEventId);
    const update = e.workflowExecutionUpdateAcceptedEventAttributes;
    if (update) once('the acceptance of the update', update.protocolInstanceId);
  }
}

function checkFold(state: RunState, events: readonly HistoryEvent[], unlike: readonly string[], wrong: (text: string) => void): void {
  if (state.buffered.length > 0) return; // what is not written yet cannot be folded
  const folded = viewOf(foldHistory({ ...state.info, requestId: state.info.createRequestId }, events));
  const stored = viewOf(state);
  for (const key of Object.keys(folded)) {
    if (unlike.includes(key) || isDeepStrictEqual(folded[key], stored[key])) continue;
    wrong(`folding the history gives another ${key}: ${JSON.stringify(folded[key])}, stored is ${JSON.stringify(stored[key])}`);
  }
}

/** The durable state, the fields of its `info` among the others. */
const viewOf = (state: RunState): Record<string, unknown> => {
  const view = durableView(state) as { info: object };
  return { ...view, info: undefined, ...view.info };
};

function checkOneOpen(runs: readonly StateColumns[], problems: string[]): void {
  const open = groupBy(
    runs.filter((run) => OPEN.has(run.status)),
    (run) => `${run.namespace_id}/${run.workflow_id}`,
  );
  for (const [name, those] of open) if (those.length > 1) problems.push(`${name} has ${those.length} open runs`);
}

/** A task that is queued for an open run must be one that the run waits for, and what a run waits for must be somewhere. */
async function checkLeftovers(client: pg.Client, runs: readonly CheckedRun[], problems: string[]): Promise<void> {
  const byId = new Map(runs.map((run) => [run.runId, run]));
  const tasks = await client.query<{ run_id: string; kind: number; event_id: string; stamp: number }>(
    'select run_id, kind, event_id, stamp from tasks',
  );
  const queued = new Set(tasks.rows.map((task) => `${task.kind}/${task.run_id}/${task.event_id}`));
  for (const { runId, open, state } of runs) {
    const task = state.workflowTask;
    if (open && task && !task.startedEventId && task.kind === 'normal' && !queued.has(`1/${runId}/${task.scheduledEventId}`))
      problems.push(`${runId} waits for workflow task ${task.scheduledEventId}, which is in no queue`);
    for (const activity of Object.values(state.activities)) {
      if (open && activity.queued && !activity.startedMs && !activity.paused && !queued.has(`2/${runId}/${activity.scheduledEventId}`))
        problems.push(`${runId} waits for activity ${activity.scheduledEventId}, which is in no queue`);
    }
  }
  const outbox = await client.query<{ message_id: string; workflow_id: string; attempts: number }>(
    'select message_id, workflow_id, attempts from outbox',
  );
  for (const row of outbox.rows) problems.push(`a message to ${row.workflow_id} was not delivered (${row.attempts} attempts)`);
  const strays = await client.query<{ run_id: string }>(
    'select distinct run_id from run_requests where run_id not in (select run_id from runs)',
  );
  for (const { run_id } of strays.rows) if (!byId.has(run_id)) problems.push(`request ids of a run that is not there: ${run_id}`);
}
