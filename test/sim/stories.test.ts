/**
 * Random operations on one workflow id, played to the engine on a real database and to a model side by side. What fails is shortened to a story of a few
 * operations. `SIM_STORIES=1000` plays more of them.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDatabase } from '../chaos/checker.js';
import { EngineNode, ManualClock } from '../helpers/engine-node.js';
import { useDatabase } from '../helpers/postgres.js';
import { type Operation, operation, Story } from './story.js';

const STORIES = Number(process.env['SIM_STORIES'] ?? 60);
const LENGTH_MAX = 25;

const stories = fc.array(operation, { minLength: 1, maxLength: LENGTH_MAX, size: 'max' });

/** Stories that once ended otherwise. */
const FOUND: Operation[][] = [
  // a run that began by a reset did not know the requests of the signals that it had kept
  [
    { op: 'start', request: 0 },
    { op: 'signal', request: 0 },
    { op: 'poll' },
    { op: 'answer', token: 0, activity: false, timer: false, complete: false },
    { op: 'reset' },
    { op: 'signal', request: 0 },
  ],
  // an update that waits for its worker does not keep the run from ending, as a signal would
  [{ op: 'start', request: 0 }, { op: 'poll' }, { op: 'update', id: 0 }, { op: 'answer', token: 0, activity: false, timer: false, complete: true }],
  // a start that comes again after another run has the workflow id was refused, or began a third
  [
    { op: 'start', request: 1 },
    { op: 'poll' },
    { op: 'answer', token: 0, activity: false, timer: false, complete: true },
    { op: 'start', request: 0 },
    { op: 'start', request: 1 },
  ],
  // a pause takes back the task in which the run would end
  [
    { op: 'start', request: 0 },
    { op: 'poll' },
    { op: 'signal', request: 1 },
    { op: 'answer', token: 0, activity: false, timer: false, complete: true },
    { op: 'pause' },
    { op: 'unpause' },
    { op: 'poll' },
    { op: 'signal', request: 0 },
  ],
];

let told = 0;
const tell = (...nodes: EngineNode[]) => async (operations: readonly Operation[]): Promise<void> => new Story(nodes, `story-${told++}`).play(operations);

describe('random stories', () => {
  const database = useDatabase();
  let node: EngineNode;
  beforeAll(async () => {
    node = new EngineNode(database.url, { clock: new ManualClock() });
    await node.addNamespace('default');
  });
  afterAll(() => node.close());

  it('end as the model says', async () => {
    await fc.assert(fc.asyncProperty(stories, tell(node)), { numRuns: STORIES, timeout: 20_000, examples: FOUND.map((story): [Operation[]] => [story]) });
    expect((await checkDatabase(database.url)).problems).toEqual([]);
  }, 600_000);

  it('end the same on two nodes, which change the same runs in turn and remember what they were', async () => {
    const clock = new ManualClock();
    const two = [new EngineNode(database.url, { clock, others: true }), new EngineNode(database.url, { clock, others: true })];
    await fc.assert(fc.asyncProperty(stories, tell(...two)), { numRuns: STORIES, timeout: 20_000 });
    expect((await checkDatabase(database.url)).problems).toEqual([]);
    await Promise.all(two.map((one) => one.close()));
  }, 600_000);

  it('catch an engine that loses what it should have kept for the end of a workflow task', async () => {
    const result = await fc.check(fc.asyncProperty(stories, tell(forgetful(node))), { numRuns: 500, seed: 7 });
    expect(result.failed).toBe(true);
    const story = result.counterexample![0].map(({ op }) => op);
    expect(story.slice(0, 3)).toEqual(['start', 'poll', 'signal']);
    expect(story.length).toBeLessThanOrEqual(4);
  }, 120_000);
});

/** The planted bug: a signal that comes while a worker has the workflow task is acknowledged and forgotten. */
function forgetful(node: EngineNode): EngineNode {
  const rpc: EngineNode['rpc'] = async (method, request, ...more) => {
    if (method !== 'SignalWorkflowExecution') return node.rpc(method, request, ...more);
    const { workflowId } = (request as { workflowExecution: { workflowId: string } }).workflowExecution;
    const described = await node.describe(workflowId).catch(() => undefined);
    return described?.pendingWorkflowTask?.startedTime ? {} : node.rpc(method, request, ...more);
  };
  return Object.create(node, { rpc: { value: rpc } }) as EngineNode;
}
