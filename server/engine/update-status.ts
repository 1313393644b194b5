/** How far an update is, read from its run and history: for callers that come later, or wait while another node does the work. */
import { api, type temporal, toNumber } from '../core/api.js';
import { isRunning } from '../core/kinds/run.js';
import { findUpdate } from '../core/kinds/update.js';
import type { RunState } from '../core/run-state.js';
import { taskFailed, updateLost } from '../core/update-answers.js';
import type { HistoryRow } from '../storage/history.js';
import type { Engine } from './engine.js';
import { decodeEvents } from './raw-history.js';
import { ACCEPTED, ADMITTED, COMPLETED, endedStatus, type UpdateStatus, type UpdateWait } from './update-waiters.js';

/** The outcome that an UpdateCompleted event holds. `newest`: a row that was read already and may have it. */
export async function outcomeOf(
  engine: Engine,
  runId: string,
  completedEventId: number,
  newest?: HistoryRow,
): Promise<temporal.api.update.v1.IOutcome> {
  const has = newest && newest.firstEventId <= completedEventId && newest.lastEventId >= completedEventId;
  const row = has ? newest : await engine.histories.rowOf(runId, completedEventId);
  const event = row && decodeEvents(row.events).find((e) => toNumber(e.eventId) === completedEventId);
  const attributes = event?.workflowExecutionUpdateCompletedEventAttributes;
  if (!attributes) throw new Error(`event ${completedEventId} of run ${runId} does not complete an update`);
  return attributes.outcome ?? {};
}

/** Undefined when the run knows no update of that id. */
export async function updateStatus(
  engine: Engine,
  state: RunState,
  updateId: string,
  newest?: HistoryRow,
): Promise<UpdateStatus | undefined> {
  const known = findUpdate(state, updateId);
  if (!known) return undefined;
  if (known.stage === 'completed') {
    return { stage: COMPLETED, outcome: await outcomeOf(engine, state.info.runId, known.completedEventId, newest) };
  }
  if (known.stage === 'admitted') return { stage: ADMITTED };
  if (isRunning(state)) return { stage: ACCEPTED };
  const ended = endedStatus(state, updateId);
  if (ended instanceof Error) throw ended;
  return ended;
}

/** What became of an update that somebody waits for. */
async function awaitedStatus(
  engine: Engine,
  state: RunState,
  { updateId, admission }: UpdateWait,
  newest: HistoryRow | undefined,
): Promise<UpdateStatus | Error> {
  const known = findUpdate(state, updateId);
  if (known && !(known.stage === 'admitted' && known.admission !== admission))
    return (await updateStatus(engine, state, updateId, newest)) ?? updateLost();
  const refused = state.updatesRefused.find((r) => r.updateId === updateId && r.admission === admission);
  if (refused)
    return refused.failure ? { stage: COMPLETED, outcome: { failure: api.failure.v1.Failure.decode(refused.failure) } } : taskFailed();
  return isRunning(state) ? updateLost() : endedStatus(state, updateId);
}

/** Another node changed a run (or may have): reads it once for all callers here that wait for its updates. */
export async function lookAtUpdates(engine: Engine, runId: string): Promise<void> {
  // who begins to wait while the run is read may wait for what that reading is too old to show
  const waiters = engine.updates.of(runId).filter((waiter) => waiter.committed?.() !== false);
  if (waiters.length === 0) return;
  // an outcome most often lies in the newest row: reading it along saves a round trip
  const [run, newest] = await Promise.all([engine.runs.load(runId), engine.histories.newestRow(runId)]);
  for (const waiter of waiters) waiter.tell(run ? await awaitedStatus(engine, run.state, waiter, newest) : updateLost());
}

/** The same beside what the caller does; a look that fails is made up for by the next. */
export function lookSoon(engine: Engine, runId: string): void {
  lookAtUpdates(engine, runId).catch((err) => engine.log.warn({ err, runId }, 'updates could not be looked at'));
}

/** What a lost notification would have told. */
export async function lookAtAllUpdates(engine: Engine): Promise<void> {
  for (const runId of engine.updates.runIds) await lookAtUpdates(engine, runId);
}
