/** Workflow tasks that are made for an update and need not be written: what they leave behind, and what becomes of them when something else happens. */
import { describe, expect, it } from 'vitest';
import { toDuration, toNumber } from '../../server/core/api.js';
import type { EngineNode, WorkflowTask } from '../helpers/engine-node.js';
import { useUpdateNode } from '../helpers/update-node.js';
import { acceptAll, COMPLETED, eventIds, FIRST, message, send, signal, TASK, type UpdateStories } from '../helpers/updates.js';

let node: EngineNode;
let story: UpdateStories;

useUpdateNode((made, stories) => {
  node = made;
  story = stories;
});

describe('a speculative task', () => {
  it('becomes an ordinary one before what happens next, when no worker has it yet', async () => {
    await story.idle('then-signal');
    const answer = send(node, 'then-signal', 'u');
    await story.admitted('then-signal', 1);
    await signal(node, 'then-signal');
    const task = await node.poll('then-signal');
    expect((await node.story('then-signal')).slice(4)).toEqual([
      'WORKFLOW_TASK_SCHEDULED',
      'WORKFLOW_EXECUTION_SIGNALED',
      'WORKFLOW_TASK_STARTED',
    ]);
    expect(toNumber(task.messages[0]!.eventId)).toBe(6);
    await node.complete(task, [], { messages: [message.reject(task.messages[0]!)] });
    expect(await answer).toMatchObject({ outcome: { failure: { message: 'no' } } });
    expect((await node.story('then-signal')).at(-1)).toBe('WORKFLOW_TASK_COMPLETED');
  });

  it('becomes an ordinary one when something waits for it to be over', async () => {
    await story.idle('signal-meanwhile');
    const { answer, task } = await story.sent('signal-meanwhile', 'u');
    await signal(node, 'signal-meanwhile');
    const completed = await node.complete(task, [], { messages: [message.reject(task.messages[0]!)] });
    expect(toNumber((completed as { resetHistoryEventId?: number }).resetHistoryEventId)).toBe(0);
    await answer;
    expect(await node.story('signal-meanwhile')).toEqual([...FIRST, ...TASK, 'WORKFLOW_EXECUTION_SIGNALED', 'WORKFLOW_TASK_SCHEDULED']);
  });

  it('that nobody takes within five seconds is written as timed out, and its update goes with the next', async () => {
    await story.idle('nobody');
    const answer = send(node, 'nobody', 'u');
    await story.admitted('nobody', 1);
    await node.forward(4_999);
    expect(await story.written('nobody')).toBe(4);
    await node.forward(1);
    const timedOut = (await node.events('nobody'))[5]!.workflowTaskTimedOutEventAttributes!;
    expect(timedOut).toMatchObject({ timeoutType: 2 });
    expect(await node.story('nobody')).toEqual([...FIRST, 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_TIMED_OUT', 'WORKFLOW_TASK_SCHEDULED']);
    const task = await node.poll('nobody');
    expect(task).toMatchObject({ attempt: 1, messages: [{ id: 'u/request' }] });
    await node.complete(task, ...acceptAll(task));
    await answer;
  });

  it('that its worker lets lie is written as timed out, and its update goes with the next attempt', async () => {
    await story.idle('lies', { workflowTaskTimeout: toDuration(2_000) });
    const { answer } = await story.sent('lies', 'u');
    await node.forward(2_000);
    const task = await node.poll('lies');
    expect(task).toMatchObject({ attempt: 2, messages: [{ id: 'u/request' }] });
    await node.complete(task, ...acceptAll(task));
    await answer;
    expect((await node.story('lies')).slice(4, 7)).toEqual(['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_TIMED_OUT']);
  });

  it('goes to the worker that holds the run, with the new events alone', async () => {
    await node.start('sticky');
    void node.rpc('PollWorkflowTaskQueue', { taskQueue: { name: 'sticky-own', kind: 2, normalName: 'sticky' } }).then((task) => {
      held = task;
    });
    let held: WorkflowTask | undefined;
    const stickyAttributes = { workerTaskQueue: { name: 'sticky-own', kind: 2 }, scheduleToStartTimeout: toDuration(10_000) };
    await node.complete(await node.poll('sticky'), [], { stickyAttributes });
    const answer = send(node, 'sticky', 'u');
    const task = await story.until('the sticky task', () => held);
    expect(eventIds(task)).toEqual([4, 5, 6]);
    await node.complete(task, ...acceptAll(task));
    expect(await answer).toMatchObject({ stage: COMPLETED });
  });

  it('goes to any worker, with the whole history, when the one that held the run is gone', async () => {
    await node.start('gone');
    const stickyAttributes = { workerTaskQueue: { name: 'gone-own', kind: 2 }, scheduleToStartTimeout: toDuration(10_000) };
    await node.complete(await node.poll('gone'), [], { stickyAttributes });
    const { answer, task } = await story.sent('gone', 'u');
    expect(eventIds(task)).toEqual([1, 2, 3, 4, 5, 6]);
    await node.complete(task, ...acceptAll(task));
    await answer;
  });

  it('is written when its worker heartbeats, and an update that the worker has is not sent to it again', async () => {
    await story.idle('heartbeat');
    const { answer, task } = await story.sent('heartbeat', 'u');
    const more = { forceCreateNewWorkflowTask: true, returnNewWorkflowTask: true };
    const { workflowTask: next } = (await node.complete(task, [], more)) as { workflowTask: WorkflowTask };
    expect(next.messages ?? []).toEqual([]);
    await node.complete(next, [], { messages: [message.reject(task.messages[0]!)] });
    expect(await answer).toMatchObject({ outcome: { failure: { message: 'no' } } });
    expect(await node.story('heartbeat')).toEqual([...FIRST, ...TASK, ...TASK]);
  });

  it('is there in the history that readers see, though it is not written', async () => {
    await story.idle('seen');
    const { answer, task } = await story.sent('seen', 'u');
    expect((await node.story('seen')).slice(4)).toEqual(['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED']);
    expect(await story.written('seen')).toBe(4);
    await node.complete(task, [], { messages: [message.reject(task.messages[0]!)] });
    await answer;
  });
});
