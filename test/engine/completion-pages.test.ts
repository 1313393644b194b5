/** Answers to workflow tasks that come in several calls, to any node and in any order; what is lost is sent again. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Command, enums, type HistoryEvent } from '../../server/core/api.js';
import { sweepRetentionOnce } from '../../server/loops/retention-sweeper.js';
import { command, EngineNode, json, ManualClock, type WorkflowTask } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';

const database = useDatabase();
const clock = new ManualClock();
let node: EngineNode;
let other: EngineNode;
let id: string;
let task: WorkflowTask;
let count = 0;

beforeAll(async () => {
  node = new EngineNode(database.url, { clock, others: true });
  other = new EngineNode(database.url, { clock, others: true });
  await node.addNamespace('default');
});
beforeEach(async () => {
  id = `paged-${count++}`;
  await node.start(id);
  task = await node.poll(id);
});
afterAll(() => Promise.all([node.close(), other.close()]));

const marker = (name: string, size = 1): Command => ({
  commandType: enums.CommandType.COMMAND_TYPE_RECORD_MARKER,
  recordMarkerCommandAttributes: { markerName: name, details: { data: json('x'.repeat(size)) } },
});
const page = (pageNumber: number, commands: Command[], at = node, of = task) =>
  at.complete(of, commands, { pageNumber, intermediatePage: true });
const last = (pageNumber: number, commands: Command[] = [command.complete()], at = node, of = task) =>
  at.complete(of, commands, { pageNumber });
/** All events, however many answers they take. */
async function events(): Promise<HistoryEvent[]> {
  const found: HistoryEvent[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const answer = await node.rpc('GetWorkflowExecutionHistory', { execution: { workflowId: id }, nextPageToken });
    found.push(...answer.history.events);
    nextPageToken = answer.nextPageToken;
  } while (nextPageToken?.length);
  return found;
}
const markers = async () =>
  (await events()).flatMap((e) => (e.markerRecordedEventAttributes ? [e.markerRecordedEventAttributes.markerName] : []));
const pagesLeft = () => node.engine.database.query({ text: 'select 1 from completion_pages' });
const LOST = { code: 'ABORTED', details: [{ type: 'temporal.api.errordetails.v1.WorkflowTaskCompletionBufferLostFailure' }] };

it('the commands of all pages, in the order of their numbers, are those of one answer', async () => {
  await page(2, [marker('d')]);
  await page(0, [marker('a'), marker('b')], other);
  await page(1, [marker('c')]);
  await page(1, [marker('again')], other);
  expect(await node.story(id)).toHaveLength(3);
  await last(3, [marker('e'), command.complete()], other);
  expect(await markers()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect((await node.story(id)).filter((e) => e === 'WORKFLOW_TASK_COMPLETED')).toHaveLength(1);
  expect((await node.story(id)).at(-1)).toBe('WORKFLOW_EXECUTION_COMPLETED');
  expect(await pagesLeft()).toEqual([]);
  await node.expectFoldsToLive();
});

it('more than one call may carry', async () => {
  for (let i = 0; i < 8; i++) await page(i, [marker(`m${i}`, 1_500_000)]);
  await last(8);
  expect(await markers()).toHaveLength(8);
  expect((await events()).at(-1)!.eventType).toBe(enums.EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
});

it('where a page is missing, nothing is written, and all may be sent again', async () => {
  await page(0, [marker('a')]);
  await expect(last(2)).rejects.toMatchObject(LOST);
  await node.engine.database.query({ text: 'truncate completion_pages' }); // as a crash of the database does
  await expect(last(1)).rejects.toMatchObject(LOST);
  expect(await node.story(id)).toHaveLength(3);
  await page(0, [marker('a')]);
  await page(1, [marker('b')]);
  await last(2);
  expect(await markers()).toEqual(['a', 'b']);
});

it('pages of a task that was handed out again are of no use', async () => {
  await page(0, [marker('stale')]);
  await node.forward(11_000);
  await expect(page(1, [marker('late')])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const again = await node.poll(id);
  await expect(last(1, [command.complete()], node, again)).rejects.toMatchObject(LOST);
  await page(0, [marker('fresh')], node, again);
  await last(1, [command.complete()], node, again);
  expect(await markers()).toEqual(['fresh']);
  clock.forward(11 * 60_000);
  await sweepRetentionOnce(node.engine);
  expect(await pagesLeft()).toEqual([]);
});

it('an answer that is too large ends the run, with the reason', async () => {
  let refused: unknown;
  for (let i = 0; i < 25 && !refused; i++) await page(i, [marker(`m${i}`, 2_000_000)]).catch((error) => (refused = error));
  expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('RequestTooLarge') });
  const story = await node.story(id);
  expect(story.slice(-2)).toEqual(['WORKFLOW_TASK_FAILED', 'WORKFLOW_EXECUTION_TERMINATED']);
  const failed = (await node.events(id)).at(-2)!.workflowTaskFailedEventAttributes!;
  expect(failed.cause).toBe(enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_REQUEST_TOO_LARGE);
  expect(await pagesLeft()).toEqual([]);
});

it('mistakes', async () => {
  await expect(page(-1, [marker('a')])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(page(1_024, [marker('a')])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(page(0, [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(last(-1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await node.complete(task, [command.complete()]);
  await expect(page(0, [marker('a')])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const { namespaceInfo } = await node.rpc('DescribeNamespace', {});
  expect(namespaceInfo.capabilities.workflowTaskCompletionPagination).toBe(true);
});
