/** Schedules: words to numbers and back, and the calls. */
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Client, Connection, ScheduleAlreadyRunning, ScheduleNotFoundError } from '../../../worker-sdk/client/index.js';
import { FakeError, FakeWorkflowService } from '../../helpers/fake-workflow-service.js';

const service = new FakeWorkflowService();
let connection: Connection;
let client: Client;

beforeAll(async () => {
  await service.start();
  connection = await Connection.connect({ address: service.address });
  client = new Client({ connection });
});
afterAll(async () => {
  await connection.close();
  service.kill();
});
afterEach(() => {
  service.calls.length = 0;
});

const action = { type: 'startWorkflow' as const, workflowType: 'report', taskQueue: 'q', args: ['a'] };

test('what was created is described in the same words', async () => {
  let schedule: object | null | undefined;
  service.on('CreateSchedule', (request) => {
    schedule = request.schedule;
    return { conflictToken: Buffer.from('1') };
  });
  service.on('DescribeSchedule', () => ({
    schedule,
    info: {
      actionCount: 3,
      createTime: { seconds: 100 },
      recentActions: [{ scheduleTime: { seconds: 1 }, actualTime: { seconds: 2 }, startWorkflowResult: { workflowId: 'w', runId: 'r' } }],
      futureActionTimes: [{ seconds: 9 }],
    },
  }));
  const handle = await client.schedule.create({
    scheduleId: 's',
    spec: {
      calendars: [
        {
          hour: [3, { start: 8, end: 18, step: 2 }],
          month: 'MARCH',
          dayOfWeek: { start: 'MONDAY', end: 'FRIDAY' },
          year: '*',
          comment: 'c',
        },
      ],
      intervals: [{ every: '1 hour', offset: '5m' }],
      cronExpressions: ['@daily'],
      startAt: new Date(5000),
      jitter: '1s',
      timezone: 'Europe/Berlin',
    },
    action,
    policies: { overlap: 'BUFFER_ONE', catchupWindow: '1 day', pauseOnFailure: true },
    state: { paused: true, note: 'n', remainingActions: 4, triggerImmediately: true },
  });
  const [request] = service.requests('CreateSchedule');
  expect(request.initialPatch.triggerImmediately.overlapPolicy).toBe(6);
  expect(request.schedule.spec.cronString).toEqual(['@daily']);
  expect(await handle.describe()).toMatchObject({
    scheduleId: 's',
    spec: {
      calendars: [
        {
          second: [{ start: 0, end: 0, step: 1 }],
          hour: [
            { start: 3, end: 3, step: 1 },
            { start: 8, end: 18, step: 2 },
          ],
          dayOfMonth: [{ start: 1, end: 31, step: 1 }],
          month: [{ start: 'MARCH', end: 'MARCH', step: 1 }],
          dayOfWeek: [{ start: 'MONDAY', end: 'FRIDAY', step: 1 }],
          year: [],
          comment: 'c',
        },
      ],
      intervals: [{ every: 3_600_000, offset: 300_000 }],
      startAt: new Date(5000),
      jitter: 1000,
      timezone: 'Europe/Berlin',
    },
    action: { type: 'startWorkflow', workflowType: 'report', workflowId: 's-workflow', taskQueue: 'q', args: ['a'] },
    policies: { overlap: 'BUFFER_ONE', catchupWindow: 86_400_000, pauseOnFailure: true },
    state: { paused: true, note: 'n', remainingActions: 4 },
    info: {
      numActionsTaken: 3,
      createdAt: new Date(100_000),
      recentActions: [
        { scheduledAt: new Date(1000), takenAt: new Date(2000), action: { workflow: { workflowId: 'w', firstExecutionRunId: 'r' } } },
      ],
      nextActionTimes: [new Date(9000)],
    },
  });
});

test('a description can be handed back as an update', async () => {
  service.on('DescribeSchedule', () => ({
    schedule: {
      spec: { interval: [{ interval: { seconds: 60 } }], structuredCalendar: [{ year: [{ start: 2030 }], dayOfWeek: [{ start: 0 }] }] },
      action: {
        startWorkflow: {
          workflowId: 'w',
          workflowType: { name: 't' },
          taskQueue: { name: 'q' },
          header: { fields: { h: { data: Buffer.from('1') } } },
        },
      },
    },
  }));
  service.on('UpdateSchedule', () => ({}));
  await client.schedule.getHandle('s').update((previous) => ({ ...previous, state: { ...previous.state, note: 'changed' } }));
  const { schedule } = service.requests('UpdateSchedule')[0];
  expect(schedule.state.notes).toBe('changed');
  expect(schedule.spec.structuredCalendar[0].year).toMatchObject([{ start: 2030, end: 2030, step: 1 }]);
  expect(schedule.spec.structuredCalendar[0].dayOfWeek).toMatchObject([{ start: 0, end: 0, step: 1 }]);
  expect(Buffer.from(schedule.action.startWorkflow.header.fields.h.data).toString()).toBe('1');
});

test('pause, unpause, trigger and backfill are patches', async () => {
  service.on('PatchSchedule', () => ({}));
  const handle = client.schedule.getHandle('s');
  await handle.pause('why');
  await handle.unpause();
  await handle.trigger();
  await handle.backfill({ start: new Date(0), end: new Date(1000), overlap: 'SKIP' });
  expect(service.requests('PatchSchedule').map(({ patch }) => patch)).toMatchObject([
    { pause: 'why' },
    { unpause: 'Unpaused via TypeScript SDK' },
    { triggerImmediately: { overlapPolicy: 6 } },
    { backfillRequest: [{ overlapPolicy: 1 }] },
  ]);
});

test('lists page by page', async () => {
  service.on('ListSchedules', (request) =>
    request.nextPageToken?.length
      ? { schedules: [{ scheduleId: 'b', info: { paused: true } }] }
      : { schedules: [{ scheduleId: 'a' }], nextPageToken: Buffer.from('2') },
  );
  const found: [string, boolean][] = [];
  for await (const { scheduleId, state } of client.schedule.list()) found.push([scheduleId, state.paused]);
  expect(found).toEqual([
    ['a', false],
    ['b', true],
  ]);
});

test('errors have types of their own, and values that do not fit are refused', async () => {
  service.on('CreateSchedule', () => {
    throw new FakeError(status.ALREADY_EXISTS, 'there');
  });
  service.on('DeleteSchedule', () => {
    throw new FakeError(status.NOT_FOUND, 'gone');
  });
  await expect(client.schedule.create({ scheduleId: 's', spec: {}, action })).rejects.toBeInstanceOf(ScheduleAlreadyRunning);
  await expect(client.schedule.getHandle('s').delete()).rejects.toBeInstanceOf(ScheduleNotFoundError);
  const bad = client.schedule.create({ scheduleId: 's', spec: { calendars: [{ hour: 24 }] }, action });
  await expect(bad).rejects.toThrow('Invalid CalendarSpec.hour: got 24');
});
