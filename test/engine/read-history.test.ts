/** Reading histories: in pages forwards and backwards, waiting for what comes, and waiting for the end. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { enums, type HistoryEvent, toNumber } from '../../server/core/api.js';
import type { Call } from '../../server/engine/call.js';
import { command, EngineNode, json } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

const database = useDatabase();
const CLOSE = enums.HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;
let node: EngineNode;

beforeAll(async () => {
  node = new EngineNode(database.url);
  await node.addNamespace('default');
  await node.addNamespace('elsewhere');
});
afterAll(() => node.close());

const signal = (workflowId: string) =>
  node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: 's', input: json('x'.repeat(50)) });
const get = (workflowId: string, more: object = {}, call: Partial<Call> = {}) =>
  node.rpc('GetWorkflowExecutionHistory', { execution: { workflowId }, ...more }, 'default', call);
const idsOf = (answer: { history: { events: HistoryEvent[] } }): number[] => answer.history.events.map((e) => toNumber(e.eventId));

/** A run of 13 events in batches: 1-2, 3, 4-6 (its commands), 7, 8, 9, 10, 11 and so on. */
async function story(id: string): Promise<void> {
  await node.start(id);
  await node.step(id, [command.timer('a', 100), command.timer('b', 200)]);
  for (let n = 0; n < 3; n++) await signal(id);
  await node.step(id, [command.complete()]);
}

async function pages(method: string, id: string, maximumPageSize: number): Promise<number[][]> {
  const all: number[][] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const answer = await node.rpc(method, { execution: { workflowId: id }, maximumPageSize, nextPageToken });
    all.push(idsOf(answer));
    nextPageToken = answer.nextPageToken?.length ? answer.nextPageToken : undefined;
  } while (nextPageToken);
  return all;
}

describe('pages', () => {
  beforeAll(() => story('paged'));

  test.each([1, 2, 3, 5, 1000])('of %i batches together are the whole history, in either direction', async (size) => {
    const whole = (await node.events('paged')).map((e) => toNumber(e.eventId));
    expect(whole).toEqual(Array.from({ length: whole.length }, (_, n) => n + 1));
    expect((await pages('GetWorkflowExecutionHistory', 'paged', size)).flat()).toEqual(whole);
    expect((await pages('GetWorkflowExecutionHistoryReverse', 'paged', size)).flat()).toEqual(whole.toReversed());
  });

  it('hold whole batches: what one answer of a worker led to is read together', async () => {
    const forwards = await pages('GetWorkflowExecutionHistory', 'paged', 1);
    expect(forwards.slice(0, 3)).toEqual([[1, 2], [3], [4, 5, 6]]);
    expect(await pages('GetWorkflowExecutionHistoryReverse', 'paged', 1)).toEqual(forwards.toReversed().map((page) => page.toReversed()));
  });

  it('backwards read what they show and no more, and each shows something', async () => {
    await node.start('large');
    const sizes = [100, 1_700_000, 1_700_000, 1_000_000, 1_500_000];
    for (const size of sizes) {
      await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: 'large' }, signalName: 's', input: json('x'.repeat(size)) });
    }
    expect(await pages('GetWorkflowExecutionHistoryReverse', 'large', 1000)).toEqual([[7, 6], [5], [4, 3, 2, 1]]);
    const { runId } = (await node.rpc('DescribeWorkflowExecution', { execution: { workflowId: 'large' } })).workflowExecutionInfo.execution;
    const read = await node.engine.histories.readPageBackwards(runId, 7, { rows: 1000, bytes: 3 * 1024 * 1024 });
    expect(read.map((row) => row.lastEventId)).toEqual([7, 6]);
    const one = await node.engine.histories.readPageBackwards(runId, 7, { rows: 1000, bytes: 1 });
    expect(one.map((row) => row.lastEventId)).toEqual([7]);
  });

  it('end where the history ended when the first was read', async () => {
    await node.start('growing');
    await node.step('growing');
    const first = await get('growing', { maximumPageSize: 1 });
    await signal('growing');
    const rest = await get('growing', { maximumPageSize: 100, nextPageToken: first.nextPageToken });
    expect([...idsOf(first), ...idsOf(rest)]).toEqual([1, 2, 3, 4]);
  });

  test.each<[string, object]>([
    ['noise', { nextPageToken: Buffer.from('noise') }],
    ['a token without a run', { nextPageToken: Buffer.from(JSON.stringify({ next: 1, before: 2 })) }],
    ['a token of a run that is none', { nextPageToken: Buffer.from(JSON.stringify({ run: 'r', next: 1, before: 2 })) }],
  ])('are not read by %s', async (_what, request) => {
    await expect(get('paged', request)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(node.rpc('GetWorkflowExecutionHistoryReverse', { execution: { workflowId: 'paged' }, ...request })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('of one namespace are not read from another with its token', async () => {
    const { nextPageToken } = await get('paged', { maximumPageSize: 1 });
    const foreign = node.rpc('GetWorkflowExecutionHistory', { execution: { workflowId: 'paged' }, nextPageToken }, 'elsewhere');
    await expect(foreign).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('waiting for new events', () => {
  it('of a closed run does not wait', async () => {
    await story('closed');
    const answer = await get('closed', { waitNewEvent: true });
    expect([idsOf(answer).length, answer.nextPageToken?.length ?? 0]).toEqual([13, 0]);
    expect(idsOf(await get('closed', { waitNewEvent: true, historyEventFilterType: CLOSE }))).toEqual([13]);
  });

  it('gives what there is, then each that comes, until the end', async () => {
    await node.start('followed');
    const first = await get('followed', { waitNewEvent: true });
    expect(idsOf(first)).toEqual([1, 2]);
    const next = get('followed', { waitNewEvent: true, nextPageToken: first.nextPageToken });
    const task = await node.poll('followed');
    const second = await next;
    expect(idsOf(second)).toEqual([3]);
    await node.complete(task, [command.complete()]);
    const last = await get('followed', { waitNewEvent: true, nextPageToken: second.nextPageToken });
    expect([idsOf(last), last.nextPageToken?.length ?? 0]).toEqual([[4, 5], 0]);
  });

  it('for the end sleeps through everything else', async () => {
    await node.start('end');
    const end = get('end', { waitNewEvent: true, historyEventFilterType: CLOSE });
    await signal('end');
    await node.step('end', [command.complete('bye')]);
    const answer = await end;
    expect(
      answer.history.events.map((e: HistoryEvent) => e.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]?.data?.toString()),
    ).toEqual(['"bye"']);
    expect(answer.nextPageToken?.length ?? 0).toBe(0);
  });

  it('comes back before the caller gives up, with a token to go on with', async () => {
    await node.start('given-up');
    let waits = false;
    const onCancelled = (): void => {
      waits = true;
    };
    const call = { deadline: node.clock.now() + 700, onCancelled };
    const waiting = get('given-up', { waitNewEvent: true, historyEventFilterType: CLOSE }, call);
    await until('the wait', async () => waits);
    node.clock.forward(700);
    const answer = await waiting;
    expect(answer.history.events).toEqual([]);
    await node.step('given-up', [command.complete()]);
    const end = await get('given-up', { waitNewEvent: true, historyEventFilterType: CLOSE, nextPageToken: answer.nextPageToken });
    expect(idsOf(end)).toEqual([5]);
  });

  it('without waiting the last event of an open run is given', async () => {
    await node.start('last');
    expect(idsOf(await get('last', { historyEventFilterType: CLOSE }))).toEqual([2]);
  });
});

it('what is not there is not found', async () => {
  await expect(get('nowhere')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(node.rpc('GetWorkflowExecutionHistory', {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  const none = { execution: { workflowId: 'paged', runId: '00000000-0000-4000-8000-000000000000' } };
  await expect(node.rpc('GetWorkflowExecutionHistory', none)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
