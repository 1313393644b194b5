/** Updates, from their admission to their outcome, as a client and a worker see them; and what they leave in the history. */
import { describe, expect, it } from 'vitest';
import { toDuration, toNumber } from '../../server/core/api.js';
import { command, type EngineNode, json, type WorkflowTask } from '../helpers/engine-node.js';
import { useUpdateNode } from '../helpers/update-node.js';
import {
  acceptAll,
  ACCEPTED,
  ADMITTED,
  COMPLETED,
  eventIds,
  FIRST,
  message,
  place,
  poll,
  pollRequest,
  send,
  signal,
  TASK,
  UPDATE,
  updateRequest,
  type UpdateStories,
} from '../helpers/updates.js';

let node: EngineNode;
let story: UpdateStories;

useUpdateNode((made, stories) => {
  node = made;
  story = stories;
});

describe('an update of an idle run', () => {
  it('comes as a message; acceptance and outcome become events at the place of their commands', async () => {
    const runId = await story.idle('accepted');
    const { answer, task } = await story.sent('accepted', 'u');
    expect(task.messages).toMatchObject([{ id: 'u/request', protocolInstanceId: 'u' }]);
    expect(toNumber(task.messages[0]!.eventId)).toBe(5);
    expect(eventIds(task)).toEqual([1, 2, 3, 4, 5, 6]);
    const messages = [message.accept(task.messages[0]!), message.respond(task.messages[0]!)];
    await node.complete(task, [place('u/accept'), command.timer('t', 60), place('u/complete')], { messages });
    expect(await answer).toMatchObject({
      updateRef: { workflowExecution: { workflowId: 'accepted', runId }, updateId: 'u' },
      stage: COMPLETED,
      outcome: { success: json('done') },
      link: { workflowEvent: { workflowId: 'accepted', runId } },
    });
    expect(await node.story('accepted')).toEqual([...FIRST, ...TASK, UPDATE[0], 'TIMER_STARTED', UPDATE[1]]);
    expect((await node.events('accepted'))[7]!.workflowExecutionUpdateAcceptedEventAttributes).toMatchObject({
      protocolInstanceId: 'u',
      acceptedRequestMessageId: 'u/request',
      acceptedRequest: { meta: { updateId: 'u' }, input: { name: 'change' } },
    });
  });

  it('tells a caller in a hurry that its deadline has passed, and the update goes on', async () => {
    await story.idle('hurry');
    const inNoTime = (): object => ({ deadline: node.clock.now() + 40 });
    const failure = { code: 'DEADLINE_EXCEEDED', message: 'context deadline exceeded' };
    const sent = node.rpc('UpdateWorkflowExecution', updateRequest('hurry', 'u'), 'default', inNoTime());
    await expect(sent).rejects.toMatchObject(failure);
    const polled = node.rpc('PollWorkflowExecutionUpdate', pollRequest('hurry', 'u', COMPLETED), 'default', inNoTime());
    await expect(polled).rejects.toMatchObject(failure);
    const task = await node.poll('hurry');
    await node.complete(task, ...acceptAll(task));
    expect(await poll(node, 'hurry', 'u', COMPLETED)).toMatchObject({ stage: COMPLETED });
  });

  it('needs no commands beside its messages', async () => {
    await story.idle('no-commands');
    const { answer, task } = await story.sent('no-commands', 'u');
    await node.complete(task, [], { messages: [message.accept(task.messages[0]!), message.respond(task.messages[0]!)] });
    expect(await answer).toMatchObject({ stage: COMPLETED });
    expect(await node.story('no-commands')).toEqual([...FIRST, ...TASK, ...UPDATE]);
  });

  it('is answered at ACCEPTED; its outcome is there for whoever polls, before and after the run has closed', async () => {
    await story.idle('later');
    const { answer, task } = await story.sent('later', 'u', { stage: ACCEPTED });
    await node.complete(task, ...acceptAll(task, { complete: false }));
    expect(await answer).toMatchObject({ stage: ACCEPTED });
    expect(await poll(node, 'later', 'u')).toMatchObject({ stage: ACCEPTED });
    const waiting = poll(node, 'later', 'u', COMPLETED);
    await signal(node, 'later');
    await node.complete(await node.poll('later'), [place('u/complete'), command.complete()], {
      messages: [message.respond({ protocolInstanceId: 'u' })],
    });
    expect(await waiting).toMatchObject({ stage: COMPLETED, outcome: { success: json('done') } });
    expect(await poll(node, 'later', 'u', COMPLETED)).toMatchObject({ stage: COMPLETED, outcome: { success: json('done') } });
  });

  it('that is accepted and completed in one task is completed for who waited for ACCEPTED', async () => {
    await story.idle('both');
    const { answer, task } = await story.sent('both', 'u', { stage: ACCEPTED });
    await node.complete(task, ...acceptAll(task));
    expect(await answer).toMatchObject({ stage: COMPLETED, outcome: { success: json('done') } });
  });

  it('may cut a start delay short', async () => {
    await node.start('delayed', { workflowStartDelay: toDuration(60_000) });
    const { answer, task } = await story.sent('delayed', 'u');
    expect(eventIds(task)).toEqual([1, 2, 3]);
    await node.complete(task, ...acceptAll(task));
    await answer;
    await node.forward(61_000);
    expect(await node.story('delayed')).toEqual([...FIRST, ...UPDATE]);
  });

  it('that is rejected leaves the start delay as it was', async () => {
    await node.start('still-delayed', { workflowStartDelay: toDuration(60_000) });
    const { answer, task } = await story.sent('still-delayed', 'u');
    await node.complete(task, [], { messages: [message.reject(task.messages[0]!)] });
    await answer;
    expect(await node.story('still-delayed')).toEqual(['WORKFLOW_EXECUTION_STARTED']);
    await node.forward(60_000);
    expect(await node.story('still-delayed')).toEqual(['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED']);
  });
});

describe('a rejected update', () => {
  it('leaves no trace, and the worker is told where to go back to', async () => {
    await story.idle('rejected');
    const { answer, task } = await story.sent('rejected', 'u');
    const completed = await node.complete(task, [], { messages: [message.reject(task.messages[0]!, 'not now')] });
    expect(toNumber((completed as { resetHistoryEventId: number }).resetHistoryEventId)).toBe(3);
    expect(await answer).toMatchObject({
      stage: COMPLETED,
      outcome: { failure: { message: 'not now' } },
      link: { workflow: { reason: 'Update rejected' } },
    });
    expect(await node.story('rejected')).toEqual(FIRST);
    await expect(poll(node, 'rejected', 'u')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // the same id is a new update
    const again = await story.sent('rejected', 'u');
    expect(eventIds(again.task)).toEqual([1, 2, 3, 4, 5, 6]);
    await node.complete(again.task, ...acceptAll(again.task));
    expect(await again.answer).toMatchObject({ outcome: { success: json('done') } });
  });

  it('leaves its task where the task brought commands', async () => {
    await story.idle('rejected-and-more');
    const { answer, task } = await story.sent('rejected-and-more', 'u');
    await node.complete(task, [command.timer('t', 60)], { messages: [message.reject(task.messages[0]!)] });
    await answer;
    expect(await node.story('rejected-and-more')).toEqual([...FIRST, ...TASK, 'TIMER_STARTED']);
  });

  it.each([
    ['is written when the task shipped events', false, [...FIRST, 'TIMER_STARTED', ...TASK]],
    ['leaves no trace when the worker can be shipped events twice', true, [...FIRST, 'TIMER_STARTED']],
  ])('%s', async (name, discardSpeculativeWorkflowTaskWithEvents, expected) => {
    await node.start(name);
    await node.step(name, [command.timer('t', 60)]);
    const { answer, task } = await story.sent(name, 'u');
    expect(eventIds(task)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await node.complete(task, [], {
      messages: [message.reject(task.messages[0]!)],
      capabilities: { discardSpeculativeWorkflowTaskWithEvents },
    });
    await answer;
    expect(await node.story(name)).toEqual(expected);
  });

  it('leaves its task when too many events would be shipped again', async () => {
    await node.start('many-events');
    await node.step(
      'many-events',
      Array.from({ length: 11 }, (_, i) => command.timer(`t${i}`, 60)),
    );
    const { task } = await story.sent('many-events', 'u');
    await node.complete(task, [], {
      messages: [message.reject(task.messages[0]!)],
      capabilities: { discardSpeculativeWorkflowTaskWithEvents: true },
    });
    expect((await node.story('many-events')).slice(-3)).toEqual(TASK);
  });
});

describe('updates that come together', () => {
  it('go with one task, in the order of their admission', async () => {
    await story.idle('several');
    const answers = [];
    for (const id of ['c', 'a', 'b']) {
      answers.push(send(node, 'several', id));
      await story.admitted('several', answers.length);
    }
    const task = await node.poll('several');
    expect(task.messages.map((m) => m.protocolInstanceId)).toEqual(['c', 'a', 'b']);
    const [c, a, b] = task.messages as [object, object, object];
    await node.complete(task, [place('a/accept')], {
      messages: [message.accept(a), message.reject(b), message.accept(c), message.respond(c)],
    });
    expect(await answers[0]).toMatchObject({ outcome: { success: json('done') } });
    expect(await answers[2]).toMatchObject({ outcome: { failure: { message: 'no' } } });
    expect(await poll(node, 'several', 'a')).toMatchObject({ stage: ACCEPTED });
  });

  it('while a task runs go with the next, which is speculative when it rides in the answer', async () => {
    await node.start('while-running');
    const first = await node.poll('while-running');
    const answer = send(node, 'while-running', 'u');
    await story.admitted('while-running', 1);
    const { workflowTask: next } = (await node.complete(first, [], { returnNewWorkflowTask: true })) as { workflowTask: WorkflowTask };
    expect(next.messages).toMatchObject([{ id: 'u/request' }]);
    const completed = await node.complete(next, [], { messages: [message.reject(next.messages[0]!)] });
    expect(toNumber((completed as { resetHistoryEventId: number }).resetHistoryEventId)).toBe(3);
    await answer;
    expect(await node.story('while-running')).toEqual(FIRST);
  });

  it('that a worker says nothing about are rejected, and those that it has not seen go with the next task', async () => {
    await story.idle('ignored');
    const { answer, task } = await story.sent('ignored', 'u1');
    const second = send(node, 'ignored', 'u2');
    await story.admitted('ignored', 2);
    const { workflowTask: next } = (await node.complete(task, [], { returnNewWorkflowTask: true })) as { workflowTask: WorkflowTask };
    expect(await answer).toMatchObject({ outcome: { failure: { applicationFailureInfo: { type: 'UnprocessedUpdate' } } } });
    expect(next.messages).toMatchObject([{ id: 'u2/request' }]);
    await node.complete(next, ...acceptAll(next, { after: [command.complete()] }));
    expect(await second).toMatchObject({ outcome: { success: json('done') } });
    expect(await node.story('ignored')).toEqual([...FIRST, ...TASK, ...UPDATE, 'WORKFLOW_EXECUTION_COMPLETED']);
  });
});

describe('a call for an update', () => {
  it('finds the one of that id: in flight, completed, and after the run has closed', async () => {
    await story.idle('dedup');
    const answers = [send(node, 'dedup', 'u'), send(node, 'dedup', 'u')];
    await story.admitted('dedup', 1);
    answers.push(send(node, 'dedup', 'u'));
    const task = await node.poll('dedup');
    expect(task.messages).toHaveLength(1);
    await node.complete(task, ...acceptAll(task));
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ stage: COMPLETED, outcome: { success: json('done') } });
    expect(await send(node, 'dedup', 'u')).toMatchObject({ outcome: { success: json('done') } });
    await node.rpc('TerminateWorkflowExecution', { workflowExecution: { workflowId: 'dedup' } });
    expect(await send(node, 'dedup', 'u')).toMatchObject({ outcome: { success: json('done') } });
    await expect(send(node, 'dedup', 'other')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'workflow execution already completed',
    });
  });

  it('is turned away when its chain of runs is another', async () => {
    const runId = await story.idle('chain');
    await expect(send(node, 'chain', 'u', { firstExecutionRunId: '00000000-0000-4000-8000-000000000000' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const { answer, task } = await story.sent('chain', 'u', { firstExecutionRunId: runId });
    await node.complete(task, ...acceptAll(task));
    await answer;
  });

  it('is turned away while the workflow task keeps failing', async () => {
    await node.start('failing');
    for (let i = 0; i < 3; i++) await node.rpc('RespondWorkflowTaskFailed', { taskToken: (await node.poll('failing')).taskToken });
    await expect(send(node, 'failing', 'u')).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      details: [{ type: expect.stringContaining('WorkflowNotReadyFailure') }],
    });
  });

  it('is turned away when too many are in flight, or have ever been', async () => {
    await story.idle('limits');
    const restore = story.limit({ updatesInFlightMax: 2, updatesTotalMax: 3 });
    const answers = [send(node, 'limits', 'u1'), send(node, 'limits', 'u2')];
    await story.admitted('limits', 2);
    await expect(send(node, 'limits', 'u3')).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      details: [{ value: { cause: 2, scope: 1 } }],
    });
    const task = await node.poll('limits');
    await node.complete(task, ...acceptAll(task));
    await Promise.all(answers);
    const third = await story.sent('limits', 'u3');
    await node.complete(third.task, ...acceptAll(third.task));
    await expect(send(node, 'limits', 'u4')).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('total number of distinct updates'),
    });
    expect(await send(node, 'limits', 'u1')).toMatchObject({ stage: COMPLETED });
    restore();
  });

  it('is turned away when its argument is larger than an event may be', async () => {
    await story.idle('large');
    const request = { meta: { updateId: 'u' }, input: { name: 'change', args: json('x'.repeat(2_200_000)) } };
    await expect(send(node, 'large', 'u', { request })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('cannot wait for ADMITTED', async () => {
    await expect(send(node, 'large', 'u', { stage: ADMITTED })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});
