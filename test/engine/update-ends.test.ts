/** What becomes of updates when their run ends or goes on as another, when calls race, and when nodes come and go. */
import { describe, expect, it } from 'vitest';
import { enums, toDuration } from '../../server/core/api.js';
import { watchNeighboursOnce } from '../../server/loops/neighbour-watch.js';
import { command, EngineNode, json } from '../helpers/engine-node.js';
import { useUpdateNode } from '../helpers/update-node.js';
import { ACCEPTED, acceptAll, COMPLETED, message, poll, send, type UpdateStories } from '../helpers/updates.js';

let node: EngineNode;
let story: UpdateStories;
let databaseUrl: string;

useUpdateNode((made, stories, url) => {
  node = made;
  story = stories;
  databaseUrl = url;
});

const terminate = (workflowId: string): Promise<unknown> => node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId } });
const ENDED = { stage: COMPLETED, outcome: { failure: { applicationFailureInfo: { type: 'AcceptedUpdateCompletedWorkflow' } } } };
const ABORTED = { code: 'NOT_FOUND', message: 'workflow update was aborted by closing workflow' };
const CONTINUES = {
  code: 'RESOURCE_EXHAUSTED',
  details: [{ value: { cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW } }],
};

const CLOSING = [
  ['completes', command.complete(), ABORTED],
  ['fails', command.fail(), ABORTED],
  ['is cancelled', command.cancel(), ABORTED],
  ['continues as new', command.continueAsNew(), CONTINUES],
] as const;

describe.each(CLOSING)('when the run %s', (how, close, ofAdmitted) => {
  it('an update that its task carried and did not answer is over', async () => {
    const workflowId = `${how} admitted`;
    await story.idle(workflowId);
    const { answer, task } = await story.sent(workflowId, 'u');
    await node.complete(task, [close]);
    await expect(answer).rejects.toMatchObject(ofAdmitted);
  });

  it('an update that came while its last task ran is over', async () => {
    const workflowId = `${how} unseen`;
    await node.start(workflowId);
    const task = await node.poll(workflowId);
    const answer = send(node, workflowId, 'u');
    await story.admitted(workflowId, 1);
    await node.complete(task, [close]);
    await expect(answer).rejects.toMatchObject(ofAdmitted);
  });

  it('an accepted update fails, for who waits and for who asks later', async () => {
    const workflowId = `${how} accepted`;
    const runId = await story.idle(workflowId);
    const { answer, task } = await story.sent(workflowId, 'u');
    await node.complete(task, ...acceptAll(task, { complete: false, after: [close] }));
    expect(await answer).toMatchObject(ENDED);
    expect(await poll(node, workflowId, 'u', COMPLETED, runId)).toMatchObject(ENDED);
    expect(await send(node, workflowId, 'u', { runId })).toMatchObject(ENDED);
  });

  it('an update that was completed before stays completed, and a rejected one rejected', async () => {
    const workflowId = `${how} completed`;
    const runId = await story.idle(workflowId);
    const answers = [send(node, workflowId, 'u1')];
    await story.admitted(workflowId, 1);
    answers.push(send(node, workflowId, 'u2'));
    await story.admitted(workflowId, 2);
    const task = await node.poll(workflowId);
    const [first, second] = task.messages;
    const messages = [message.accept(first!), message.respond(first!), message.reject(second!)];
    await node.complete(
      task,
      [...messages.slice(0, 2).map((m) => ({ commandType: 14, protocolMessageCommandAttributes: { messageId: m.id } })), close],
      { messages },
    );
    expect(await answers[0]).toMatchObject({ outcome: { success: json('done') } });
    expect(await answers[1]).toMatchObject({ outcome: { failure: { message: 'no' } } });
    expect(await send(node, workflowId, 'u1', { runId })).toMatchObject({ outcome: { success: json('done') } });
  });
});

describe('when the run is ended from outside', () => {
  it('a task that is not written yet is not written any more', async () => {
    await story.idle('terminated-scheduled');
    const answer = send(node, 'terminated-scheduled', 'u');
    await story.admitted('terminated-scheduled', 1);
    await terminate('terminated-scheduled');
    await expect(answer).rejects.toMatchObject(ABORTED);
    expect((await node.story('terminated-scheduled')).slice(4)).toEqual(['WORKFLOW_EXECUTION_TERMINATED']);
  });

  it('a task that a worker has is written as failed, and its answer comes too late', async () => {
    await story.idle('terminated-started');
    const { answer, task } = await story.sent('terminated-started', 'u');
    await terminate('terminated-started');
    await expect(answer).rejects.toMatchObject(ABORTED);
    await expect(node.complete(task, ...acceptAll(task))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await node.story('terminated-started')).slice(4)).toEqual([
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_TASK_STARTED',
      'WORKFLOW_TASK_FAILED',
      'WORKFLOW_EXECUTION_TERMINATED',
    ]);
  });

  it('accepted updates fail, by termination and by timeout', async () => {
    for (const workflowId of ['terminated-accepted', 'timed-out-accepted']) {
      await story.idle(workflowId, { workflowRunTimeout: toDuration(30_000) });
      const { answer, task } = await story.sent(workflowId, 'u');
      await node.complete(task, ...acceptAll(task, { complete: false }));
      if (workflowId.startsWith('terminated')) await terminate(workflowId);
      else await node.forward(31_000);
      expect(await answer).toMatchObject(ENDED);
    }
  });

  it('and a retry policy makes a new run, the caller is told to come again', async () => {
    await story.idle('retried', { retryPolicy: { initialInterval: toDuration(1_000), maximumAttempts: 3 } });
    const { answer, task } = await story.sent('retried', 'u');
    await node.complete(task, [command.fail()]);
    await expect(answer).rejects.toMatchObject(CONTINUES);
  });
});

describe('when calls race or are lost', () => {
  it('the same update sent at once, again and again, is one', async () => {
    await story.idle('race');
    const answers = Array.from({ length: 20 }, () => send(node, 'race', 'u'));
    await story.admitted('race', 1);
    const task = await node.poll('race');
    expect(task.messages).toHaveLength(1);
    await node.complete(task, ...acceptAll(task));
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ outcome: { success: json('done') } });
  });

  it('a completion that is sent again because its answer was lost changes nothing', async () => {
    await story.idle('lost-answer');
    const { answer, task } = await story.sent('lost-answer', 'u');
    await node.complete(task, ...acceptAll(task));
    await expect(node.complete(task, ...acceptAll(task))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await answer;
    expect(await node.story('lost-answer')).toHaveLength(9);
  });

  it('a caller that went away leaves its update to whoever asks again', async () => {
    await story.idle('gone-caller');
    let goAway = (): void => undefined;
    const onCancelled = (listener: () => void): void => {
      goAway = listener;
    };
    const request = { workflowExecution: { workflowId: 'gone-caller' }, request: { meta: { updateId: 'u' }, input: { name: 'change' } } };
    const left = node.rpc('UpdateWorkflowExecution', request, 'default', { onCancelled });
    await story.admitted('gone-caller', 1);
    goAway();
    await left;
    expect(node.engine.updates.runIds).not.toContain((await story.state('gone-caller')).info.runId);
    const answer = send(node, 'gone-caller', 'u');
    const task = await node.poll('gone-caller');
    await node.complete(task, ...acceptAll(task));
    expect(await answer).toMatchObject({ outcome: { success: json('done') } });
  });
});

describe('between nodes', () => {
  it('an update that was admitted outlives the node that admitted it', async () => {
    const first = new EngineNode(databaseUrl, { clock: node.clock });
    await story.idle('outlives');
    const lost = send(first, 'outlives', 'u');
    lost.catch(() => undefined);
    await story.admitted('outlives', 1);
    await first.close(); // its process is killed: nobody answers
    const retried = send(node, 'outlives', 'u');
    node.engine.queues.backlogEverywhere(); // which its loop does from time to time: nobody told it of the task
    const task = await node.poll('outlives');
    expect(task.messages).toMatchObject([{ id: 'u/request' }]);
    await node.complete(task, ...acceptAll(task));
    expect(await retried).toMatchObject({ outcome: { success: json('done') } });
  });

  it('a caller hears from another node what became of its update, though no notification comes', async () => {
    const other = new EngineNode(databaseUrl, { clock: node.clock, others: true });
    const here = new EngineNode(databaseUrl, { clock: node.clock, others: true });
    await story.idle('elsewhere');
    const outcomes = [
      [(id: string) => ({ accept: id }), { stage: COMPLETED, outcome: { success: json('done') } }],
      [(id: string) => ({ reject: id }), { stage: COMPLETED, outcome: { failure: { message: 'no' } } }],
      [
        (id: string) => ({ ignore: id }),
        { stage: COMPLETED, outcome: { failure: { applicationFailureInfo: { type: 'UnprocessedUpdate' } } } },
      ],
    ] as const;
    for (const [what, expected] of outcomes) {
      const id = JSON.stringify(what('u'));
      const answer = send(here, 'elsewhere', id);
      await story.admitted('elsewhere', 1);
      const task = await other.poll('elsewhere');
      if (id.includes('accept')) await other.complete(task, ...acceptAll(task));
      else await other.complete(task, [], { messages: id.includes('reject') ? [message.reject(task.messages[0]!)] : [] });
      await watchNeighboursOnce(here.engine);
      expect(await answer).toMatchObject(expected);
    }
    await here.close();
    await other.close();
  });

  it('a caller hears from another node that its run or its task has ended', async () => {
    const other = new EngineNode(databaseUrl, { clock: node.clock, others: true });
    const here = new EngineNode(databaseUrl, { clock: node.clock, others: true });
    await story.idle('ends-elsewhere');
    const failed = send(here, 'ends-elsewhere', 'u1');
    await story.admitted('ends-elsewhere', 1);
    const task = await other.poll('ends-elsewhere');
    await expect(other.complete(task, [], { messages: [message.respond(task.messages[0]!)] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await watchNeighboursOnce(here.engine);
    await expect(failed).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const accepted = send(here, 'ends-elsewhere', 'u2', { stage: ACCEPTED });
    await story.admitted('ends-elsewhere', 1);
    const next = await other.poll('ends-elsewhere');
    await other.complete(next, ...acceptAll(next, { complete: false }));
    await watchNeighboursOnce(here.engine);
    expect(await accepted).toMatchObject({ stage: ACCEPTED });
    const completed = poll(here, 'ends-elsewhere', 'u2', COMPLETED);
    const admitted = send(here, 'ends-elsewhere', 'u3');
    await story.admitted('ends-elsewhere', 1);
    await other.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'ends-elsewhere' } });
    await watchNeighboursOnce(here.engine);
    expect(await completed).toMatchObject(ENDED);
    await expect(admitted).rejects.toMatchObject(ABORTED);
    await here.close();
    await other.close();
  });

  it('a caller at the node that ends the run is told the outcome that another node wrote, not that the run has ended', async () => {
    const other = new EngineNode(databaseUrl, { clock: node.clock, others: true });
    const here = new EngineNode(databaseUrl, { clock: node.clock, others: true });
    await story.idle('ends-here');
    const accepted = send(here, 'ends-here', 'accepted');
    await story.admitted('ends-here', 1);
    const first = await other.poll('ends-here');
    await other.complete(first, ...acceptAll(first));
    const rejected = send(here, 'ends-here', 'rejected');
    await story.admitted('ends-here', 1);
    const second = await other.poll('ends-here');
    await other.complete(second, [], { messages: [message.reject(second.messages[0]!)] });
    await here.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'ends-here' } });
    expect(await accepted).toMatchObject({ stage: COMPLETED, outcome: { success: json('done') } });
    expect(await rejected).toMatchObject({ stage: COMPLETED, outcome: { failure: { message: 'no' } } });
    await here.close();
    await other.close();
  });

  it('two nodes that admit the same update at once admit one', async () => {
    const other = new EngineNode(databaseUrl, { clock: node.clock, others: true });
    const here = new EngineNode(databaseUrl, { clock: node.clock, others: true });
    await story.idle('admitted-twice');
    const answers = [here, other, here, other].map((at) => send(at, 'admitted-twice', 'u'));
    await story.admitted('admitted-twice', 1);
    const task = await here.poll('admitted-twice');
    expect(task.messages).toHaveLength(1);
    await here.complete(task, ...acceptAll(task));
    await watchNeighboursOnce(other.engine);
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ outcome: { success: json('done') } });
    await here.close();
    await other.close();
  });
});
