/**
 * The engine of one node in the test's own process: no gRPC, no loops, a clock that stands still. What loops do is done when the test says so,
 * so that every race can be put in the order that it is about.
 */
import proto from '@temporalio/proto';
import type { Type } from 'protobufjs';
import { expect } from 'vitest';
import { composeEngine } from '../../server/compose-engine.js';
import { readConfig } from '../../server/config.js';
import { enums, type HistoryEvent, type temporal } from '../../server/core/api.js';
import { durableView, foldHistory } from '../../server/core/evolve.js';
import type { OutboxMessage } from '../../server/core/message.js';
import type { RunState } from '../../server/core/run-state.js';
import { type Call, EncodedResponse, type Handler } from '../../server/engine/call.js';
import type { Courier } from '../../server/engine/courier.js';
import { deliverMessages } from '../../server/engine/deliver-messages.js';
import type { Engine } from '../../server/engine/engine.js';
import { workflowHandlers } from '../../server/engine/handlers.js';
import { systemIds } from '../../server/engine/ids.js';
import { addNamespace } from '../../server/engine/namespace-calls.js';
import { decodeEvents } from '../../server/engine/raw-history.js';
import type { Logger } from '../../server/log.js';
import { deliverOutboxOnce } from '../../server/loops/outbox-deliverer.js';
import { fireTimersOnce } from '../../server/loops/timer-firer.js';

type Command = temporal.api.command.v1.ICommand;
export type WorkflowTask = temporal.api.workflowservice.v1.PollWorkflowTaskQueueResponse;
export type ActivityTask = temporal.api.workflowservice.v1.PollActivityTaskQueueResponse;
const root = proto as unknown as { lookupType(name: string): Type };

/** A clock that only the test moves. */
export class ManualClock {
  constructor(public ms = Date.parse('2026-03-01T12:00:00.000Z')) {}
  now(): number {
    return this.ms;
  }
  forward(ms: number): void {
    this.ms += ms;
  }
}

const quiet = (): void => {};
const silent = {
  fatal: quiet,
  error: quiet,
  warn: quiet,
  info: quiet,
  debug: quiet,
  trace: quiet,
  child: () => silent,
} as unknown as Logger;

const ANY_CALLBACK = 'callback.allowedAddresses=[{"Pattern":"*","AllowInsecure":true}]';

export interface NodeOptions {
  readonly clock?: ManualClock;
  /** Messages between runs are kept in `held` instead of being delivered. */
  readonly holdMessages?: boolean;
  /** The node knows of others on the same database (which its loop would have found). */
  readonly others?: boolean;
  /** Dynamic configuration, as `key=json`. Callbacks may go anywhere unless told otherwise. */
  readonly dynamicConfig?: readonly string[];
}

export const json = (value: unknown): temporal.api.common.v1.IPayloads => ({
  payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) }],
});

export class EngineNode {
  readonly engine: Engine;
  readonly clock: ManualClock;
  /** Messages that were committed and not delivered, when the node holds them. */
  held: OutboxMessage[] = [];
  private readonly handlers: Record<string, Handler>;

  constructor(url: string, { clock = new ManualClock(), holdMessages = false, others = false, dynamicConfig = [ANY_CALLBACK] }: NodeOptions = {}) {
    this.clock = clock;
    const config = readConfig({}, { databaseUrl: url, databasePoolSize: '4', dynamicConfig });
    const { engine } = composeEngine(config, silent, clock, systemIds);
    const holding = {
      send: (messages: OutboxMessage[]) => this.held.push(...messages),
      hasRoom: true,
      stop: async () => undefined,
    } as unknown as Courier;
    this.engine = engine;
    if (holdMessages) Object.assign(engine, { courier: holding });
    if (others) Object.assign(engine, { otherNodes: () => true });
    this.handlers = workflowHandlers(this.engine) as Record<string, Handler>;
  }

  async addNamespace(name: string): Promise<void> {
    await addNamespace(this.engine, { name, retentionMs: 86_400_000, description: '', ownerEmail: '', data: {} });
  }

  /** Calls a method of the open API as a client would; the answer as plain values. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the method's name; tests read the fields they are about.
  async rpc(method: string, request: object, namespace = 'default', more: Partial<Call> = {}): Promise<any> {
    const call: Call = {
      method,
      deadline: Number.POSITIVE_INFINITY,
      clientName: '',
      clientVersion: '',
      cancelled: false,
      onCancelled: quiet,
      ...more,
    };
    const answer = await this.handlers[method]!({ namespace, identity: 'test', ...request } as never, call);
    if (!(answer instanceof EncodedResponse)) return answer;
    return root.lookupType(`temporal.api.workflowservice.v1.${method}Response`).decode(answer.bytes);
  }

  async start(workflowId: string, request: object = {}, namespace = 'default'): Promise<string> {
    const defaults = { workflowId, workflowType: { name: 'Test' }, taskQueue: { name: workflowId }, requestId: systemIds.newId() };
    return (await this.rpc('StartWorkflowExecution', { ...defaults, ...request }, namespace)).runId;
  }

  /** Takes the workflow task that waits on a queue (by default the one named like the workflow). */
  async poll(queue: string, namespace = 'default'): Promise<WorkflowTask> {
    const task = await this.rpc('PollWorkflowTaskQueue', { taskQueue: { name: queue } }, namespace);
    expect(task.taskToken?.length, `a workflow task on ${queue}`).toBeGreaterThan(0);
    return task;
  }

  /** Takes the activity task that waits on a queue. */
  async pollActivity(queue: string, namespace = 'default'): Promise<ActivityTask> {
    const task = await this.rpc('PollActivityTaskQueue', { taskQueue: { name: queue } }, namespace);
    expect(task.taskToken?.length, `an activity task on ${queue}`).toBeGreaterThan(0);
    return task;
  }

  /** Without a namespace: that of the token counts. */
  async complete(task: WorkflowTask, commands: Command[] = [], more: object = {}): Promise<object> {
    return this.rpc('RespondWorkflowTaskCompleted', { taskToken: task.taskToken, commands, ...more }, '');
  }

  /** Takes the waiting task and answers it. */
  async step(queue: string, commands: Command[] = [], namespace = 'default'): Promise<WorkflowTask> {
    const task = await this.poll(queue, namespace);
    await this.complete(task, commands, { namespace });
    return task;
  }

  async describe(
    workflowId: string,
    runId = '',
    namespace = 'default',
  ): Promise<temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse> {
    return this.rpc('DescribeWorkflowExecution', { execution: { workflowId, runId } }, namespace);
  }

  async events(workflowId: string, runId = '', namespace = 'default'): Promise<HistoryEvent[]> {
    const answer = await this.rpc('GetWorkflowExecutionHistory', { execution: { workflowId, runId } }, namespace);
    return answer.history.events;
  }

  /** Names of the events, without their prefix. */
  async story(workflowId: string, runId = '', namespace = 'default'): Promise<string[]> {
    return (await this.events(workflowId, runId, namespace)).map((e) => enums.EventType[e.eventType!]!.replace('EVENT_TYPE_', ''));
  }

  /** Delivers messages that this node holds, and those that their delivery leads to. */
  async deliverHeld(): Promise<void> {
    while (this.held.length > 0) {
      const messages = this.held.splice(0);
      await Promise.all(messages.map((m) => deliverMessages(this.engine, [m])));
    }
  }

  /** Moves the clock and fires what has become due. */
  async forward(ms: number): Promise<void> {
    this.clock.forward(ms);
    await fireTimersOnce(this.engine);
  }

  /** Moves the clock and delivers what lies in the outbox and is due by then. */
  async deliverAfter(ms: number): Promise<void> {
    this.clock.forward(ms);
    await deliverOutboxOnce(this.engine);
  }

  async messagesLeft(): Promise<number> {
    const rows = await this.engine.database.query<{ count: number }>({ text: 'select count(*)::int as count from outbox' });
    return rows[0]!.count;
  }

  /** Every run's live state is what folding its history yields. */
  async expectFoldsToLive(): Promise<void> {
    const rows = await this.engine.database.query<{ run_id: string }>({ text: 'select run_id from runs order by run_id' });
    for (const { run_id } of rows) {
      const live = (await this.engine.runs.load(run_id))!.state;
      if (live.buffered.length > 0) continue; // what is not written yet cannot be folded
      expect(durableView(await this.fold(live)), `${live.info.workflowId} ${run_id}`).toEqual(durableView(live));
    }
  }

  private async fold(live: RunState): Promise<RunState> {
    const rows = await this.engine.histories.read(live.info.runId, 1, live.nextEventId, 10_000);
    const events = rows.flatMap((row) => decodeEvents(row.events));
    return foldHistory({ ...live.info, requestId: live.info.createRequestId }, events);
  }

  async close(): Promise<void> {
    this.engine.callbacks.stop();
    await this.engine.courier.stop();
    await this.engine.database.close();
  }
}

const C = enums.CommandType;

/** Commands as a worker would give them. */
export const command = {
  complete: (result: unknown = 'ok'): Command => ({
    commandType: C.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
    completeWorkflowExecutionCommandAttributes: { result: json(result) },
  }),
  fail: (message = 'failed', more: object = {}): Command => ({
    commandType: C.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
    failWorkflowExecutionCommandAttributes: { failure: { message, applicationFailureInfo: { type: 'Boom' }, ...more } },
  }),
  cancel: (): Command => ({ commandType: C.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, cancelWorkflowExecutionCommandAttributes: {} }),
  continueAsNew: (more: object = {}): Command => ({
    commandType: C.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
    continueAsNewWorkflowExecutionCommandAttributes: { ...more },
  }),
  timer: (timerId: string, seconds: number): Command => ({
    commandType: C.COMMAND_TYPE_START_TIMER,
    startTimerCommandAttributes: { timerId, startToFireTimeout: { seconds: seconds as never } },
  }),
  activity: (activityId: string, queue: string): Command => ({
    commandType: C.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    scheduleActivityTaskCommandAttributes: {
      activityId,
      activityType: { name: 'Act' },
      taskQueue: { name: queue },
      startToCloseTimeout: { seconds: 60 as never },
    },
  }),
  child: (workflowId: string, more: temporal.api.command.v1.IStartChildWorkflowExecutionCommandAttributes = {}): Command => ({
    commandType: C.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
    startChildWorkflowExecutionCommandAttributes: { workflowId, workflowType: { name: 'Child' }, taskQueue: { name: workflowId }, ...more },
  }),
  signal: (workflowId: string, signalName: string, more: object = {}): Command => ({
    commandType: C.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
    signalExternalWorkflowExecutionCommandAttributes: { execution: { workflowId }, signalName, input: json(signalName), ...more },
  }),
  cancelOther: (workflowId: string, more: object = {}): Command => ({
    commandType: C.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
    requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId, ...more },
  }),
};
