// The cache of runs, and where a task's history comes from.
import { afterEach, describe, expect, test } from 'vitest';
import type { FetchHistory, WorkflowHost, WorkflowHostOptions } from '../../../worker-sdk/replay/workflow-host.js';
import { firstValue, HistoryDriver } from './history-driver.js';
import { makeHost } from './make-host.js';

const CODE = `
import { sleep, setHandler, defineQuery, defineSignal, defineUpdate, condition, proxyActivities, ApplicationFailure } from '@perdure/sdk/workflow';
const acts = proxyActivities<{ step(n: number): Promise<number> }>({ startToCloseTimeout: '1m' });

export async function steps(n: number) {
  let done = 0;
  setHandler(defineQuery('done'), () => done);
  for (let i = 1; i <= n; i++) { await acts.step(i); done = i; }
  return done;
}
export async function waits() {
  let value = 'none';
  let end = false;
  setHandler(defineQuery('value'), () => value);
  setHandler(defineSignal<[string]>('set'), (to) => { value = to; });
  setHandler(defineSignal('end'), () => { end = true; });
  setHandler(defineUpdate<string, [string]>('change'), (to) => { value = to; return to; }, { validator: (to) => { if (to === 'bad') throw new Error('refused'); } });
  await condition(() => end);
  return value;
}
export async function broken() { throw new TypeError('a bug'); }
export async function brokenQuery() { setHandler(defineQuery('q'), () => { throw new Error('query bug'); }); await sleep(1000); }
`;

const evicted: [string, string][] = [];
let host: WorkflowHost;

async function open(options: Partial<WorkflowHostOptions> = {}): Promise<WorkflowHost> {
  host = await makeHost(CODE, { onEvict: (runId, reason) => evicted.push([runId, reason]), ...options });
  return host;
}

afterEach(() => {
  host.dispose();
  evicted.length = 0;
});

/** A run of `steps` with some activities done, its last task not yet sent. */
async function advanced(steps: number): Promise<HistoryDriver> {
  const driver = new HistoryDriver(host, 'steps', [steps + 1]);
  await driver.task();
  for (let i = 1; i < steps; i++) await driver.completeActivity(i, String(i)).task();
  return driver.completeActivity(steps, String(steps));
}

/** History in pages of a size; the token is the offset. */
function paged(driver: HistoryDriver, size: number): { fetch: FetchHistory; fetched: () => number } {
  let fetched = 0;
  const fetch: FetchHistory = (token) => {
    fetched++;
    const from = token.length === 0 ? 0 : Number(Buffer.from(token).toString());
    const events = driver.events.slice(from, from + size);
    const next = from + size < driver.events.length ? Buffer.from(String(from + size)) : undefined;
    return Promise.resolve({ history: { events }, nextPageToken: next });
  };
  return { fetch, fetched: () => fetched };
}

describe('where history comes from', () => {
  test.each([1, 2, 3, 5, 7, 100])('a run that is not cached is replayed from its first page on (pages of %i events)', async (size) => {
    await open();
    const driver = await advanced(4);
    host.evict(driver.runId);
    const task = driver.nextTask();
    const { fetch, fetched } = paged(driver, size);
    const outcome = await host.handleTask(task, fetch);
    expect(outcome).toMatchObject({ kind: 'completed', completion: { commands: [{ scheduleActivityTaskCommandAttributes: { activityId: '5' } }] } });
    expect(fetched()).toBe(Math.ceil(driver.events.length / size));
  });

  test.each([1, 3, 7])('a task whose first page is the first of several (pages of %i events)', async (size) => {
    await open();
    const driver = await advanced(4);
    host.evict(driver.runId);
    const task = driver.nextTask();
    const { fetch } = paged(driver, size);
    const first = await fetch(Buffer.alloc(0));
    const outcome = await host.handleTask({ ...task, history: first.history, nextPageToken: first.nextPageToken }, fetch);
    expect(outcome).toMatchObject({ kind: 'completed', completion: { commands: [{ scheduleActivityTaskCommandAttributes: { activityId: '5' } }] } });
  });

  test('a cached run needs nothing but what is new', async () => {
    await open();
    const driver = await advanced(3);
    const task = driver.nextTask();
    const outcome = await host.handleTask(task, () => Promise.reject(new Error('must not be asked')));
    expect(outcome.kind).toBe('completed');
  });

  test('a gap between what is known and what comes is filled from the beginning', async () => {
    await open();
    const driver = await advanced(3);
    const task = driver.nextTask();
    const history = { events: task.history!.events!.slice(2) };
    const outcome = await host.handleTask({ ...task, history }, paged(driver, 10).fetch);
    expect(outcome).toMatchObject({ kind: 'completed', completion: { commands: [{ scheduleActivityTaskCommandAttributes: { activityId: '4' } }] } });
    expect(evicted).toEqual([[driver.runId, 'its history has a gap']]);
  });

  test('a task with the whole history replaces the cached run', async () => {
    await open();
    const driver = await advanced(3);
    driver.full = true;
    await driver.task();
    expect(evicted).toEqual([[driver.runId, 'its history comes from the beginning']]);
    expect(host.cachedRuns).toBe(1);
  });

  test('when a page cannot be had, the task has no answer, and the next one begins anew', async () => {
    await open();
    const driver = await advanced(3);
    host.evict(driver.runId);
    const task = driver.nextTask();
    await expect(host.handleTask(task, () => Promise.reject(new Error('unavailable')))).rejects.toThrow('unavailable');
    expect(host.cachedRuns).toBe(0);
    const outcome = await host.handleTask(task, paged(driver, 4).fetch);
    expect(outcome.kind).toBe('completed');
  });

  test('a history that ends before the task it is for fails that task', async () => {
    await open();
    const driver = await advanced(3);
    host.evict(driver.runId);
    const task = driver.nextTask();
    const events = driver.events.slice(0, -3);
    const outcome = await host.handleTask({ ...task, history: { events } }, () => Promise.reject(new Error('none')));
    expect(outcome.kind).toBe('failed');
    expect(JSON.stringify(outcome)).toMatch(/history ends with event \d+, but the task started with event \d+/);
  });
});

describe('the cache', () => {
  test('keeps the runs used last', async () => {
    await open({ maxCachedRuns: 2 });
    const [a, b, c] = [0, 1, 2].map(() => new HistoryDriver(host, 'waits')) as [HistoryDriver, HistoryDriver, HistoryDriver];
    await a.task();
    await b.task();
    await a.signal('set', 'x').task();
    await c.task();
    expect(evicted).toEqual([[b.runId, 'the cache is full']]);
    await b.signal('end').task();
    expect(b.result).toBe('none');
    await a.signal('end').task();
    expect(a.result).toBe('x');
  });

  test('lets go of runs when memory runs short', async () => {
    await open({ maxHeapBytes: 1 });
    const driver = new HistoryDriver(host, 'waits');
    await driver.task();
    expect(evicted).toEqual([[driver.runId, 'memory runs short']]);
    await driver.signal('end').task();
    expect(driver.result).toBe('none');
  });

  test('with room for none, every task replays', async () => {
    await open({ maxCachedRuns: 0 });
    const driver = await advanced(3);
    await driver.task();
    expect(host.cachedRuns).toBe(0);
    await driver.completeActivity(4, '4').task();
    expect(driver.result).toBe(4);
  });

  test('forgets runs that closed, failed a task, or that the worker names', async () => {
    await open();
    const closed = new HistoryDriver(host, 'waits');
    closed.signal('end');
    await closed.task();
    const failed = new HistoryDriver(host, 'broken');
    expect((await failed.rawTask()).kind).toBe('failed');
    const named = new HistoryDriver(host, 'waits');
    await named.task();
    host.evict(named.runId, 'the server refused it');
    expect(evicted).toEqual([
      [closed.runId, 'it is closed'],
      [failed.runId, 'its task failed'],
      [named.runId, 'the server refused it'],
    ]);
    expect(host.cachedRuns).toBe(0);
  });

  test('tasks of one run wait for each other, tasks of others do not', async () => {
    await open();
    const driver = await advanced(3);
    host.evict(driver.runId);
    const task = driver.nextTask();
    let deliver = (): void => undefined;
    const page = new Promise<void>((resolve) => {
      deliver = resolve;
    });
    const order: string[] = [];
    const { fetch } = paged(driver, 100);
    const slow = host.handleTask(task, async (token) => {
      await page;
      return fetch(token);
    });
    const query = host.handleTask({ ...task, history: { events: [] }, startedEventId: undefined, query: { queryType: 'done' } }, fetch);
    void slow.then(() => order.push('task'));
    const asked = query.then((outcome) => {
      order.push('query');
      return outcome;
    });
    const other = new HistoryDriver(host, 'waits');
    await other.task();
    order.push('other');
    deliver();
    const outcome = await asked;
    expect(order).toEqual(['other', 'task', 'query']);
    expect(outcome.kind === 'query' && firstValue(outcome.answer.queryResult)).toBe(3);
  });

  test('a run that is to be forgotten is forgotten when the task that it works on is done', async () => {
    await open();
    const driver = await advanced(3);
    host.evict(driver.runId);
    evicted.length = 0;
    const { fetch } = paged(driver, 2);
    const outcome = await host.handleTask(driver.nextTask(), (token) => {
      // the answer of an earlier task was refused at last
      host.evict(driver.runId, 'answer was not taken by the server');
      return fetch(token);
    });
    expect(outcome).toMatchObject({ kind: 'completed', completion: { commands: [{ scheduleActivityTaskCommandAttributes: { activityId: '4' } }] } });
    expect(evicted).toEqual([[driver.runId, 'answer was not taken by the server']]);
    expect(host.cachedRuns).toBe(0);
  });

  test('what it exports is known', async () => {
    await open();
    expect([...host.workflowTypes].sort()).toEqual(['broken', 'brokenQuery', 'steps', 'waits']);
  });
});

describe('queries', () => {
  test('alone, of a cached run, of a forgotten one and of a closed one', async () => {
    await open();
    const driver = new HistoryDriver(host, 'waits');
    await driver.signal('set', 'one').task();
    expect(await driver.query('value')).toBe('one');
    host.evict(driver.runId);
    expect(await driver.query('value')).toBe('one');
    await driver.signal('set', 'two').signal('end').task();
    expect(driver.closed).toBe(true);
    expect(await driver.query('value')).toBe('two');
    host.evict(driver.runId);
    expect(await driver.query('value')).toBe('two');
    driver.full = true;
    expect(await driver.query('value')).toBe('two');
  });

  test('a query sees nothing of what no task has executed yet, and changes nothing', async () => {
    await open();
    const driver = new HistoryDriver(host, 'waits');
    await driver.task();
    expect(await driver.query('value')).toBe('none');
    driver.signal('set', 'later');
    await driver.task();
    expect(await driver.query('value')).toBe('later');
    await driver.signal('end').task();
    await driver.replay();
  });

  test('with a task, after everything else in it', async () => {
    await open();
    const driver = new HistoryDriver(host, 'waits');
    await driver.task();
    driver.signal('set', 'with it');
    const { queryResults } = await driver.task({ a: { queryType: 'value' }, b: { queryType: 'unknown' } });
    expect(firstValue(queryResults?.a?.answer)).toBe('with it');
    expect(queryResults?.b).toMatchObject({ resultType: 2 });
    expect(queryResults?.b?.errorMessage).toMatch(/unknown.*value/s);
  });

  test('a failing handler fails the query and not the run', async () => {
    await open();
    const driver = new HistoryDriver(host, 'brokenQuery');
    await driver.task();
    await expect(driver.query('q')).rejects.toThrow('query bug');
    expect(host.cachedRuns).toBe(1);
  });

  test('of a workflow that nobody knows', async () => {
    await open();
    const driver = new HistoryDriver(host, 'nobody');
    driver.add('WORKFLOW_TASK_SCHEDULED', { workflowTaskScheduledEventAttributes: {} });
    driver.full = true;
    await expect(driver.query('q')).rejects.toThrow(/nobody.*steps/s);
  });
});

describe('updates', () => {
  test('a task that only refuses an update never happened, when the server says so', async () => {
    await open();
    const driver = new HistoryDriver(host, 'waits');
    await driver.task();
    const before = driver.events.length;
    const outcome = await driver.update('u1', 'change', 'bad').rawTask();
    expect(outcome).toMatchObject({ kind: 'completed', completion: { commands: [], messages: [{ protocolInstanceId: 'u1' }] } });
    // The server drops the task's two events and says where to go on.
    driver.events.splice(before);
    driver.sentUpTo = before;
    host.speculativeTaskDropped(driver.runId, driver.previousStarted);
    await driver.update('u2', 'change', 'good').task();
    expect(evicted).toEqual([]);
    await driver.signal('end').task();
    expect(driver.result).toBe('good');
    await driver.replay();
  });
});

describe('names that every object knows', () => {
  test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])('%s is no workflow unless it is exported', async (type) => {
    await open({ workflowFailureErrorTypes: { other: ['TypeError'] } });
    const outcome = await new HistoryDriver(host, type, []).rawTask();
    expect(outcome).toMatchObject({ kind: 'failed', failure: { failure: { message: expect.stringContaining('no such function is exported') } } });
  });

  test.each(['constructor', 'toString', '__proto__'])('%s as a query and a signal without a handler', async (name) => {
    await open();
    const driver = new HistoryDriver(host, 'waits', []);
    await driver.task();
    driver.signal(name);
    await driver.task();
    const { queryResults } = await driver.signal('set', 'x').task({ q: { queryType: name } as never });
    expect(queryResults).toMatchObject({ q: { errorMessage: expect.stringContaining(name) } });
  });
});

test('a pause, and a task that was taken back because of it, say nothing to the workflow', async () => {
  await open();
  const driver = new HistoryDriver(host, 'waits', [], { full: true });
  driver.add('WORKFLOW_TASK_SCHEDULED', { workflowTaskScheduledEventAttributes: { attempt: 1 } });
  driver.add('WORKFLOW_TASK_FAILED', { workflowTaskFailedEventAttributes: { scheduledEventId: 2 as never, cause: 39 } });
  driver.add('WORKFLOW_EXECUTION_PAUSED', { workflowExecutionPausedEventAttributes: { reason: 'a look' } });
  driver.signal('set', 'meanwhile');
  driver.add('WORKFLOW_EXECUTION_UNPAUSED', { workflowExecutionUnpausedEventAttributes: {} });
  await driver.task();
  expect(await driver.query('value')).toBe('meanwhile');
  host.evict(driver.runId);
  expect(await driver.signal('end').task()).toMatchObject({ commands: [{ completeWorkflowExecutionCommandAttributes: {} }] });
});
