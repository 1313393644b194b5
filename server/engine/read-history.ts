/** GetWorkflowExecutionHistory and its reverse: pages of stored bytes, long polls, and the close event alone. */
import { api, enums, type temporal, toNumber } from '../core/api.js';
import { isRunning } from '../core/kinds/run.js';
import { HISTORY_PAGE_MAX, pageSize } from '../core/validate/page-size.js';
import type { Call, EncodedResponse } from './call.js';
import type { Engine } from './engine.js';
import { readRun, type SeenRun, seeRun } from './find-run.js';
import { longPollMs } from './long-poll.js';
import { decodePageToken, encodePageToken, type PageToken } from './page-token.js';
import { decodeEvents, encodeEvents, lastEventOf, sliceRow, withHistory } from './raw-history.js';
import { tellOfWait } from './watch-run.js';
import type { RunProgress } from './watchers.js';

type Request = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryRequest;
type ReverseRequest = temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryReverseRequest;
const Response = api.workflowservice.v1.GetWorkflowExecutionHistoryResponse;
const HISTORY_FIELD = (Response as unknown as { fields: Record<string, { id: number }> }).fields.history!.id;
const CLOSE_ONLY = enums.HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;

const PAGE_BYTES = 3 * 1024 * 1024;
/** A waiting caller looks by itself from time to time, should word from another node be lost. */
const LOOK_AGAIN_MS = 5_000;
/** A wait that was cut short by word of the run is told again, for whoever works on the run by now; not for every word. */
const TELL_AGAIN_MS = 1_000;

export async function readHistory(engine: Engine, request: Request, call: Call): Promise<EncodedResponse> {
  const namespace = await engine.registry.require(request.namespace);
  const token = request.nextPageToken?.length ? decodePageToken(request.nextPageToken) : undefined;
  const execution = { workflowId: request.execution?.workflowId, runId: token?.run ?? request.execution?.runId };
  const run = await seeRun(engine, namespace, request.execution ? execution : undefined, request.waitNewEvent === true);
  if (request.historyEventFilterType === CLOSE_ONLY) return closeEvent(engine, run, request, token, call);
  return page(engine, run, request, token, call);
}

const answer = (parts: readonly Uint8Array[], nextPageToken: Uint8Array | undefined): EncodedResponse =>
  withHistory(Response, nextPageToken ? { nextPageToken } : {}, HISTORY_FIELD, parts);

/** The last event once the run is closed; before that the last event there is, or a wait when the caller asked for one. */
async function closeEvent(
  engine: Engine,
  first: SeenRun,
  request: Request,
  token: PageToken | undefined,
  call: Call,
): Promise<EncodedResponse> {
  const { runId } = first;
  let run: RunProgress = first;
  if (run.open && request.waitNewEvent) {
    run = await waitWhile(engine, runId, run, call, (progress) => progress.open, true);
    if (run.open) return answer([], encodePageToken({ run: runId, next: token?.next ?? run.nextEventId, before: 0, poll: true }));
  }
  const lastEventId = run.nextEventId - 1;
  const recent = engine.cache.peek(runId)?.recent.findLast((r) => r.lastEventId === lastEventId);
  const row = recent ?? (await engine.histories.rowOf(runId, lastEventId));
  return answer([lastEventOf(row!.events)], undefined);
}

/** Waits for the run to leave a condition; how far it is then, or when the time is up. */
async function waitWhile(
  engine: Engine,
  runId: string,
  first: RunProgress,
  call: Call,
  holds: (progress: RunProgress) => boolean,
  closeOnly = false,
): Promise<RunProgress> {
  const untilMs = engine.wall.now() + longPollMs(engine, call);
  let run = first;
  let toldMs = Number.NEGATIVE_INFINITY;
  let remembered = true;
  for (;;) {
    const nowMs = engine.wall.now();
    const onCancelled = (end: () => void): void => call.onCancelled(end);
    const watch = engine.watchers.watch(runId, Math.min(untilMs - nowMs, LOOK_AGAIN_MS), { onCancelled, holds });
    if (nowMs - toldMs >= TELL_AGAIN_MS && tellOfWait(engine, runId, closeOnly, untilMs - nowMs)) toldMs = nowMs;
    run = (await progressNow(engine, runId, remembered)) ?? run; // what came between the first look and the watch
    remembered = false;
    if (!holds(run)) {
      watch.stop();
      return run;
    }
    const awakened = await watch.changed;
    if (typeof awakened === 'object') run = awakened;
    if (!holds(run) || call.cancelled || engine.wall.now() >= untilMs) return run;
  }
}

/** `remembered`: what this node remembers will do. Where it is wrong, because others have changed the run, word of that is under way. */
async function progressNow(engine: Engine, runId: string, remembered: boolean): Promise<RunProgress | undefined> {
  const own = remembered || !engine.otherNodes();
  // what is under way on this node wakes the watch when it is committed
  if (own && engine.serial.has(runId)) return undefined;
  const state = (own ? engine.cache.peek(runId)?.state : undefined) ?? (await engine.runs.load(runId))?.state;
  return state && { open: isRunning(state), nextEventId: state.nextEventId };
}

async function page(engine: Engine, first: SeenRun, request: Request, token: PageToken | undefined, call: Call): Promise<EncodedResponse> {
  const { runId } = first;
  let run: RunProgress = first;
  const from = token?.next ?? 1;
  if (request.waitNewEvent && run.open && from >= run.nextEventId) {
    run = await waitWhile(engine, runId, run, call, (progress) => progress.open && from >= progress.nextEventId);
  }
  const before = token && !token.poll ? token.before : run.nextEventId;
  const { parts, next } = await readPage(engine, runId, from, before, pageSize(request.maximumPageSize, HISTORY_PAGE_MAX));
  const atEnd = next >= before;
  if (atEnd && !request.waitNewEvent) {
    if (before === first.nextEventId && first.unwritten.length > 0) parts.push(encodeEvents(first.unwritten));
    return answer(parts, undefined);
  }
  if (atEnd && !run.open && next >= run.nextEventId) return answer(parts, undefined);
  return answer(
    parts,
    encodePageToken({ run: runId, next, before, task: token?.task, poll: atEnd || token?.poll || request.waitNewEvent === true }),
  );
}

/** Rows until the page has that many batches or bytes. */
async function readPage(
  engine: Engine,
  runId: string,
  from: number,
  before: number,
  batches: number,
): Promise<{ parts: Uint8Array[]; next: number }> {
  const parts: Uint8Array[] = [];
  let next = from;
  let left = batches;
  let bytes = 0;
  const rows = from < before ? await engine.histories.readPage(runId, from, before, { batches, bytes: PAGE_BYTES }) : [];
  for (const row of rows) {
    if (left <= 0 || (bytes > 0 && bytes + row.events.length > PAGE_BYTES)) break;
    const starts = [row.firstEventId, ...row.batchStarts].filter((id) => id >= next);
    if (starts.length === 0 || starts[0] !== next) starts.unshift(next);
    const endsBefore = Math.min(before, starts[left] ?? row.lastEventId + 1);
    const part = sliceRow(row, next, endsBefore);
    parts.push(part);
    bytes += part.length;
    left -= starts.length;
    next = endsBefore;
  }
  return { parts, next };
}

export async function readHistoryReverse(engine: Engine, request: ReverseRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  const token = request.nextPageToken?.length ? decodePageToken(request.nextPageToken) : undefined;
  const execution = { workflowId: request.execution?.workflowId, runId: token?.run ?? request.execution?.runId };
  const run = await readRun(engine, namespace, request.execution ? execution : undefined);
  const { runId } = run.state.info;
  const to = token?.next ?? run.state.nextEventId - 1;
  let left = pageSize(request.maximumPageSize, HISTORY_PAGE_MAX);
  const events: ReturnType<typeof decodeEvents> = [];
  let next = to;
  for (const row of await engine.histories.readPageBackwards(runId, to, { rows: left, bytes: PAGE_BYTES })) {
    if (left <= 0) break;
    const starts = [row.firstEventId, ...row.batchStarts].filter((id) => id <= next);
    const from = starts[Math.max(0, starts.length - left)]!;
    const slice = decodeEvents(row.events).filter((e) => toNumber(e.eventId) >= from && toNumber(e.eventId) <= next);
    events.push(...slice.reverse());
    left -= starts.length;
    next = from - 1;
  }
  return { history: { events }, nextPageToken: next >= 1 ? encodePageToken({ run: runId, next, before: 0 }) : undefined };
}
