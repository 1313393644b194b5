/** What workers may say wrongly about updates, and what that does to their task, to the update and to its caller. */
import { describe, expect, it } from 'vitest';
import { api, type temporal } from '../../server/core/api.js';
import { command, type EngineNode, json } from '../helpers/engine-node.js';
import { useUpdateNode } from '../helpers/update-node.js';
import { acceptAll, COMPLETED, message, place, send, type UpdateStories } from '../helpers/updates.js';

type Message = temporal.api.protocol.v1.IMessage;
type Command = temporal.api.command.v1.ICommand;

let node: EngineNode;
let story: UpdateStories;

useUpdateNode((made, stories) => {
  node = made;
  story = stories;
});

const body = (name: string, value: Uint8Array = new Uint8Array()): Message['body'] => ({ type_url: `type.googleapis.com/${name}`, value });
const CAUSE = 'BadUpdateWorkflowExecutionMessage: ';
const FAILED = ['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_FAILED'];

type Mistake = [what: string, error: string, answer: (request: Message) => { messages: Message[]; commands?: Command[] }];

const MISTAKES: Mistake[] = [
  [
    'accepted twice',
    'received *update.Acceptance message while in state ProvisionallyAccepted',
    (r) => ({ messages: [message.accept(r), message.accept(r)] }),
  ],
  [
    'rejected after it was accepted',
    'received *update.Rejection message while in state ProvisionallyAccepted',
    (r) => ({ messages: [message.accept(r), message.reject(r)] }),
  ],
  [
    'accepted after it was rejected',
    'received *update.Acceptance message while in state ProvisionallyCompleted',
    (r) => ({ messages: [message.reject(r), message.accept(r)] }),
  ],
  [
    'completed without being accepted',
    'received *update.Response message while in state Sent',
    (r) => ({ messages: [message.respond(r)] }),
  ],
  [
    'completed twice',
    'received *update.Response message while in state ProvisionallyCompleted',
    (r) => ({ messages: [message.accept(r), message.respond(r), message.respond(r)] }),
  ],
  [
    'completed by a command before the one that accepts',
    'received *update.Response message while in state Sent',
    (r) => ({ messages: [message.accept(r), message.respond(r)], commands: [place('u/complete'), place('u/accept')] }),
  ],
  [
    'without an outcome',
    'outcome is not set',
    (r) => ({
      messages: [
        message.accept(r),
        {
          ...message.respond(r),
          body: body('temporal.api.update.v1.Response', api.update.v1.Response.encode({ meta: { updateId: 'u' } }).finish()),
        },
      ],
    }),
  ],
  [
    'with the outcome of another',
    'meta.update_id != u',
    (r) => ({ messages: [message.accept(r), message.respond(r, { success: json(1) }, { meta: { updateId: 'v' } })] }),
  ],
  [
    'without the event that it follows',
    'accepted_request_sequencing_event_id is not set',
    (r) => ({ messages: [message.accept({ ...r, eventId: null })] }),
  ],
  [
    'without the message that it answers',
    'accepted_request_message_id is not set',
    (r) => ({ messages: [message.accept({ ...r, id: '' })] }),
  ],
  ['of an update that nobody knows', "update v wasn't found", (r) => ({ messages: [message.accept({ ...r, protocolInstanceId: 'v' })] })],
  ['placed by a command but absent', 'referenced absent message ID zz', () => ({ messages: [], commands: [place('zz')] })],
  [
    'placed by two commands',
    'referenced absent message ID u/accept',
    (r) => ({ messages: [message.accept(r)], commands: [place('u/accept'), place('u/accept')] }),
  ],
  [
    'in another protocol',
    'unsupported protocol type temporal.api.query.v1',
    (r) => ({ messages: [{ ...message.accept(r), body: body('temporal.api.query.v1.WorkflowQuery') }] }),
  ],
  [
    'of a kind that workers do not send',
    'not supported',
    (r) => ({ messages: [{ ...message.accept(r), body: body('temporal.api.update.v1.Request') }] }),
  ],
  [
    'that cannot be decoded',
    'unable to unmarshal',
    (r) => ({ messages: [{ ...message.accept(r), body: body('temporal.api.update.v1.Acceptance', Buffer.from([0xff])) }] }),
  ],
];

describe('a message', () => {
  it.each(MISTAKES)('%s fails the task and gives up the update', async (what, error, answerOf) => {
    const workflowId = `mistake ${what}`;
    await story.idle(workflowId);
    const { answer, task } = await story.sent(workflowId, 'u');
    const { messages, commands = [] } = answerOf(task.messages[0]!);
    await expect(node.complete(task, commands, { messages })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(error),
    });
    await expect(answer).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      details: [{ type: expect.stringContaining('WorkflowNotReadyFailure') }],
    });
    expect((await node.story(workflowId)).slice(4, 7)).toEqual(FAILED);
    const failed = (await node.events(workflowId))[6]!.workflowTaskFailedEventAttributes!;
    expect(failed.failure!.message).toContain(CAUSE);
    const next = await node.poll(workflowId);
    expect(next).toMatchObject({ attempt: 2, messages: [] });
    await node.complete(next);
  });

  it.each([
    ['without a body', undefined],
    ['without the name of its type', { type_url: '', value: new Uint8Array() }],
    ['of a type that is no name', body('nonsense')],
  ])('%s is only answered: the task goes on', async (what, broken) => {
    const workflowId = `unreadable ${what}`;
    await story.idle(workflowId);
    const { answer, task } = await story.sent(workflowId, 'u');
    await expect(node.complete(task, [], { messages: [{ id: 'm', protocolInstanceId: 'u', body: broken }] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await story.written(workflowId)).toBe(4);
    await node.complete(task, ...acceptAll(task));
    expect(await answer).toMatchObject({ stage: COMPLETED });
  });

  it('that is larger than an event may be ends the run', async () => {
    await story.idle('too-large');
    const { answer, task } = await story.sent('too-large', 'u');
    const outcome = { success: json('x'.repeat(2_200_000)) };
    await expect(
      node.complete(task, [], { messages: [message.accept(task.messages[0]!), message.respond(task.messages[0]!, outcome)] }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(answer).rejects.toBeDefined();
    expect((await node.story('too-large')).at(-1)).toBe('WORKFLOW_EXECUTION_TERMINATED');
  });

  it('that brings back the request of an update which the server has forgotten makes it known again', async () => {
    await story.idle('brought-back');
    const { answer, task } = await story.sent('brought-back', 'u');
    const acceptedRequest = { meta: { updateId: 'v' }, input: { name: 'change' } };
    const [request] = task.messages;
    await node.complete(task, [], {
      messages: [
        message.accept({ ...request, protocolInstanceId: 'v' }, { acceptedRequest }),
        message.respond({ protocolInstanceId: 'v' }),
      ],
    });
    expect(await answer).toMatchObject({ outcome: { failure: { applicationFailureInfo: { type: 'UnprocessedUpdate' } } } });
    expect(await send(node, 'brought-back', 'v')).toMatchObject({ stage: COMPLETED, outcome: { success: json('done') } });
  });
});

describe('a task that fails', () => {
  it('because its worker says so brings the update again', async () => {
    await story.idle('worker-fails');
    const { answer, task } = await story.sent('worker-fails', 'u');
    await node.rpc('RespondWorkflowTaskFailed', { taskToken: task.taskToken });
    const next = await node.poll('worker-fails');
    expect(next).toMatchObject({ attempt: 2, messages: [{ id: 'u/request' }] });
    await node.complete(next, ...acceptAll(next));
    expect(await answer).toMatchObject({ outcome: { success: json('done') } });
  });

  it('because of a bad command gives up the updates that it carried, and keeps those that came meanwhile', async () => {
    await story.idle('bad-command');
    const { answer, task } = await story.sent('bad-command', 'u1');
    const second = send(node, 'bad-command', 'u2');
    await story.admitted('bad-command', 2);
    const [commands, more] = acceptAll(task, { after: [command.timer('', 1)] });
    await expect(node.complete(task, commands, more)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(answer).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const next = await node.poll('bad-command');
    expect(next.messages).toMatchObject([{ id: 'u2/request' }]);
    await node.complete(next, ...acceptAll(next));
    expect(await second).toMatchObject({ outcome: { success: json('done') } });
  });

  it('because something came that it has not seen brings the update again', async () => {
    await story.idle('unhandled');
    const { answer, task } = await story.sent('unhandled', 'u');
    await node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId: 'unhandled' }, signalName: 'go' });
    await expect(node.complete(task, ...acceptAll(task, { after: [command.complete()] }))).rejects.toMatchObject({
      message: expect.stringContaining('UnhandledCommand'),
    });
    const next = await node.poll('unhandled');
    await node.complete(next, ...acceptAll(next, { after: [command.complete()] }));
    expect(await answer).toMatchObject({ outcome: { success: json('done') } });
  });
});
