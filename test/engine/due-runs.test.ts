/** Many runs whose timers are due at once: read together, fired each for itself, and right whatever happens to them meanwhile. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fireTimersOnce } from '../../server/loops/timer-firer.js';
import { command, EngineNode } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';

const db = useDatabase();
let node: EngineNode;
beforeEach(async () => {
  node = new EngineNode(db.url);
  await node.addNamespace('default').catch(() => undefined);
});
afterEach(() => node.close());

/** Runs that sleep, of which this node has forgotten the state. */
async function asleep(prefix: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
  for (const id of ids) {
    await node.start(id);
    await node.step(id, [command.timer('nap', 60)]);
  }
  while (node.engine.cache.size > 0) node.engine.cache.shrink();
  return ids;
}

/** Names of the statements that were sent meanwhile. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const sent: string[] = [];
  const { database } = node.engine;
  const query = database.query.bind(database);
  database.query = (statement) => {
    sent.push(statement.name ?? '');
    return query(statement);
  };
  await work();
  database.query = query;
  return sent;
}

const FIRED = ['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED', 'TIMER_STARTED', 'TIMER_FIRED', 'WORKFLOW_TASK_SCHEDULED'];

it('are read with one question', async () => {
  const ids = await asleep('many', 20);
  node.clock.forward(60_000);
  const sent = await statementsOf(() => fireTimersOnce(node.engine));
  expect(sent.filter((name) => name === 'runs-load').length).toBe(1);
  expect(sent.filter((name) => name === 'run-load').length).toBe(0);
  for (const id of ids) expect(await node.story(id)).toEqual(FIRED);
});

it('one that has moved on since it was read is read again', async () => {
  const [id] = await asleep('moved', 1);
  node.clock.forward(60_000);
  const { runs } = node.engine;
  const loadAll = runs.loadAll.bind(runs);
  runs.loadAll = async (runIds) => {
    const read = await loadAll(runIds);
    const other = new EngineNode(db.url, { clock: node.clock });
    await other.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: id }, signalName: 's' });
    await other.close();
    return read;
  };
  await fireTimersOnce(node.engine);
  const story = await node.story(id!);
  expect(story.filter((name) => name === 'TIMER_FIRED').length).toBe(1);
  expect(story.filter((name) => name === 'WORKFLOW_EXECUTION_SIGNALED').length).toBe(1);
  await node.expectFoldsToLive();
});

it('one that sleeps for longer than its workflow task could have taken is not fired in vain before that', async () => {
  const [id] = await asleep('vain', 1);
  const transitions = async (): Promise<number> => Number((await node.describe(id!)).workflowExecutionInfo?.stateTransitionCount);
  const before = await transitions();
  await node.forward(11_000);
  expect(await transitions()).toBe(before);
  await node.forward(49_000);
  expect(await node.story(id!)).toEqual(FIRED);
});

it('one that is woken before its timer is due when the task that woke it takes too long', async () => {
  const [id] = await asleep('woken', 1);
  await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: id }, signalName: 's' });
  await node.poll(id!);
  await node.forward(11_000);
  expect(await node.story(id!)).toContain('WORKFLOW_TASK_TIMED_OUT');
  await node.expectFoldsToLive();
});

it('after an outage timers fire at once, and workers have a moment to hand in what was to be there by then', async () => {
  const [sleeper] = await asleep('napping', 1);
  await node.start('working');
  const task = await node.poll('working');
  await node.start('trying');
  await node.step('trying', [command.activity('a', 'trying-activities')]);
  await node.pollActivity('trying-activities');
  node.clock.forward(61_000);
  const { turnContext } = node.engine;
  const reachableSinceMs = node.clock.now();
  Object.assign(node.engine, { turnContext: () => ({ ...turnContext(), reachableSinceMs }) });
  await node.forward(10);
  expect(await node.story(sleeper!)).toEqual(FIRED);
  expect((await node.describe('trying')).pendingActivities![0]!.attempt).toBe(1);
  await node.complete(task, [command.timer('t', 60)]);
  await node.forward(3_000);
  expect((await node.describe('trying')).pendingActivities![0]!.attempt).toBe(2);
  await node.expectFoldsToLive();
});
