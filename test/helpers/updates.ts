/** Updates for tests: what a client sends, and what a worker answers to the messages of its task. */
import { api, enums, type temporal, toNumber } from '../../server/core/api.js';
import type { Limits } from '../../server/core/limits.js';
import type { RunState } from '../../server/core/run-state.js';
import { type EngineNode, json, type WorkflowTask } from './engine-node.js';
import { until } from './until.js';

type Message = temporal.api.protocol.v1.IMessage;
type Command = temporal.api.command.v1.ICommand;
export type UpdateAnswer = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse;
const STAGE = enums.UpdateWorkflowExecutionLifecycleStage;
export const COMPLETED = STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
export const ACCEPTED = STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
export const ADMITTED = STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;

/** Events of a run's first workflow task, of a later one, and of an update that is accepted and completed. */
export const FIRST = ['WORKFLOW_EXECUTION_STARTED', 'WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED'];
export const TASK = ['WORKFLOW_TASK_SCHEDULED', 'WORKFLOW_TASK_STARTED', 'WORKFLOW_TASK_COMPLETED'];
export const UPDATE = ['WORKFLOW_EXECUTION_UPDATE_ACCEPTED', 'WORKFLOW_EXECUTION_UPDATE_COMPLETED'];
export const eventIds = (task: WorkflowTask): number[] => task.history!.events!.map((e) => toNumber(e.eventId));
export const signal = (node: EngineNode, workflowId: string): Promise<unknown> =>
  node.rpc('SignalWorkflowExecution', { workflowExecution: { workflowId }, signalName: 'go' });

/** What a call waits for, the run it names, and fields of the request that are to be different. */
export type SendOptions = { stage?: number; runId?: string; [field: string]: unknown };

export const updateRequest = (
  workflowId: string,
  updateId: string,
  { stage = COMPLETED, runId = '', ...more }: SendOptions = {},
): object => ({
  workflowExecution: { workflowId, runId },
  waitPolicy: { lifecycleStage: stage },
  request: { meta: { updateId, identity: 'caller' }, input: { name: 'change', args: json(updateId) } },
  ...more,
});

/** Sends an update; the answer is awaited later, so a failure is not unhandled meanwhile. */
export function send(node: EngineNode, workflowId: string, updateId: string, more: SendOptions = {}): Promise<UpdateAnswer> {
  const answer = node.rpc('UpdateWorkflowExecution', updateRequest(workflowId, updateId, more));
  answer.catch(() => undefined);
  return answer;
}

export const pollRequest = (workflowId: string, updateId: string, stage = 0, runId = ''): object => ({
  updateRef: { workflowExecution: { workflowId, runId }, updateId },
  waitPolicy: { lifecycleStage: stage },
});

export const poll = (node: EngineNode, workflowId: string, updateId: string, stage = 0, runId = ''): Promise<UpdateAnswer> =>
  node.rpc('PollWorkflowExecutionUpdate', pollRequest(workflowId, updateId, stage, runId));

const body = (type: string, value: Uint8Array): Message['body'] => ({
  type_url: `type.googleapis.com/temporal.api.update.v1.${type}`,
  value,
});
const V1 = api.update.v1;

export const message = {
  accept: (request: Message, more: object = {}): Message => ({
    id: `${request.protocolInstanceId}/accept`,
    protocolInstanceId: request.protocolInstanceId,
    body: body(
      'Acceptance',
      V1.Acceptance.encode({ acceptedRequestMessageId: request.id, acceptedRequestSequencingEventId: request.eventId, ...more }).finish(),
    ),
  }),
  respond: (
    request: Message,
    outcome: temporal.api.update.v1.IOutcome | undefined = { success: json('done') },
    more: object = {},
  ): Message => ({
    id: `${request.protocolInstanceId}/complete`,
    protocolInstanceId: request.protocolInstanceId,
    body: body(
      'Response',
      V1.Response.encode({ meta: { updateId: request.protocolInstanceId, identity: 'caller' }, outcome, ...more }).finish(),
    ),
  }),
  reject: (request: Message, text = 'no', more: object = {}): Message => ({
    id: `${request.protocolInstanceId}/reject`,
    protocolInstanceId: request.protocolInstanceId,
    body: body('Rejection', V1.Rejection.encode({ rejectedRequestMessageId: request.id, failure: { message: text }, ...more }).finish()),
  }),
};

/** The PROTOCOL_MESSAGE command that gives a message its place. */
export const place = (messageId: string | null | undefined): Command => ({
  commandType: enums.CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
  protocolMessageCommandAttributes: { messageId },
});

/** A completion that accepts the task's updates, and completes those that it is to. */
export function acceptAll(
  task: WorkflowTask,
  { complete = true, after = [] }: { complete?: boolean; after?: Command[] } = {},
): [Command[], { messages: Message[] }] {
  const messages = task.messages.flatMap((m) => (complete ? [message.accept(m), message.respond(m)] : [message.accept(m)]));
  return [[...messages.map((m) => place(m.id)), ...after], { messages }];
}

/** The steps that stories of updates share. */
export class UpdateStories {
  constructor(private readonly node: EngineNode) {}

  /** A run whose first task is behind it. */
  async idle(workflowId: string, request: object = {}): Promise<string> {
    const runId = await this.node.start(workflowId, request);
    await this.node.step(workflowId);
    return runId;
  }

  async state(workflowId: string): Promise<RunState> {
    const runId = (await this.node.describe(workflowId)).workflowExecutionInfo!.execution!.runId!;
    return (await this.node.engine.runs.load(runId))!.state;
  }

  /** Waits until so many updates are admitted and neither accepted nor rejected. */
  async admitted(workflowId: string, count: number): Promise<void> {
    await until(`${count} admitted updates of ${workflowId}`, async () => (await this.state(workflowId)).updatesAdmitted.length === count);
  }

  /** Sends an update and takes the task that carries it. */
  async sent(workflowId: string, updateId: string, more: SendOptions = {}): Promise<{ answer: Promise<UpdateAnswer>; task: WorkflowTask }> {
    const answer = send(this.node, workflowId, updateId, more);
    await this.admitted(workflowId, 1);
    return { answer, task: await this.node.poll(workflowId) };
  }

  /** Events that are in the database. */
  async written(workflowId: string): Promise<number> {
    return (await this.state(workflowId)).nextEventId - 1;
  }

  until = until;

  /** Other limits for the node, until the returned function is called. */
  limit(limits: Partial<Limits>): () => void {
    const { engine } = this.node;
    const { turnContext } = engine;
    Object.assign(engine, { turnContext: () => ({ ...turnContext(), limits: { ...engine.limits, ...limits } }) });
    return () => Object.assign(engine, { turnContext });
  }
}
