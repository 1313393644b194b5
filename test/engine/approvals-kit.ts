/** For the tests of approvals: server nodes on one database, and a run whose worker is the test itself. */
import { randomUUID } from 'node:crypto';
import { connect, type Connection } from '../../cli/rpc/connection.js';
import { readConfig } from '../../server/config.js';
import type { Clock } from '../../server/engine/engine.js';
import type { Logger } from '../../server/log.js';
import { createServer } from '../../server/server.js';
import { RawClient } from '../transport/raw-client.js';

const WORKFLOWS = 'temporal.api.workflowservice.v1.WorkflowService';

const quiet = (): void => undefined;
const log = { fatal: quiet, error: quiet, warn: quiet, info: quiet, debug: quiet, trace: quiet, child: () => log } as unknown as Logger;

export interface Node {
  readonly address: string;
  /** The client that the command line uses. */
  readonly connection: Connection;
  readonly raw: RawClient;
  stop(): Promise<void>;
}

export const startNode = async (databaseUrl: string, clock?: Clock): Promise<Node> => {
  const flags = {
    databaseUrl,
    grpcPort: '0',
    httpPort: 'off',
    namespaces: ['default', 'other'],
    shutdownGraceMs: '200ms',
    databasePoolSize: '6',
  };
  const server = await createServer({ config: readConfig({}, flags), log, ...(clock && { clock }) });
  const { grpcAddress: address } = await server.start();
  const connection = connect(address);
  const raw = new RawClient(address);
  const stop = async (): Promise<void> => {
    connection.close();
    raw.close();
    await server.stop();
  };
  return { address, connection, raw, stop };
};

type Fields = Record<string, unknown>;

/** A method of the open API; throws what the server refused. */
export const call = async (node: Node, method: string, request: object): Promise<Fields> => {
  const answer = await node.raw.call(WORKFLOWS, method, { namespace: 'default', ...request }, { timeoutMs: 20_000 });
  if (answer.response === undefined) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.response;
};

const json = (value: unknown): object => ({
  payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) }],
});

const marker = (markerName: string, key: string, value: unknown): object => ({
  commandType: 'COMMAND_TYPE_RECORD_MARKER',
  recordMarkerCommandAttributes: { markerName, details: { [key]: json(value) } },
});

/** Commands of a worker that asks, and that gives up. */
export const asks = (approvalId: string, more: object = {}): object =>
  marker('perdure.approval', 'request', { approvalId, what: `approve ${approvalId}`, from: 'finance', details: { order: 7 }, ...more });
export const givesUp = (approvalId: string, outcome: 'timed-out' | 'cancelled'): object =>
  marker('perdure.approval.closed', 'closed', { approvalId, outcome });
export const COMPLETES = { commandType: 'COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION', completeWorkflowExecutionCommandAttributes: {} };
export const CONTINUES = {
  commandType: 'COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION',
  continueAsNewWorkflowExecutionCommandAttributes: {},
};

export class Run {
  private constructor(
    readonly workflowId: string,
    readonly runId: string,
  ) {}

  static async start(node: Node, workflowId = `refund-${randomUUID()}`, more: object = {}): Promise<Run> {
    const request = { workflowId, workflowType: { name: 'refund' }, taskQueue: { name: workflowId }, requestId: randomUUID(), ...more };
    return new Run(workflowId, (await call(node, 'StartWorkflowExecution', request)).runId as string);
  }

  /** Takes the workflow task and leaves it unanswered. */
  async takeTask(node: Node): Promise<Buffer> {
    const task = await call(node, 'PollWorkflowTaskQueue', { taskQueue: { name: this.workflowId }, identity: 'test' });
    if ((task.taskToken as Buffer | undefined)?.length === undefined || (task.taskToken as Buffer).length === 0)
      throw new Error('there was no task');
    return task.taskToken as Buffer;
  }

  async answer(node: Node, taskToken: Buffer, ...commands: object[]): Promise<void> {
    await call(node, 'RespondWorkflowTaskCompleted', { taskToken, identity: 'test', commands });
  }

  async task(node: Node, ...commands: object[]): Promise<void> {
    await this.answer(node, await this.takeTask(node), ...commands);
  }

  signal(node: Node, value: unknown, more: object = {}): Promise<Fields> {
    return call(node, 'SignalWorkflowExecution', {
      workflowExecution: { workflowId: this.workflowId },
      signalName: 'perdure.approval.decision',
      input: json(value),
      identity: 'grpcurl',
      requestId: randomUUID(),
      ...more,
    });
  }

  async events(node: Node): Promise<Fields[]> {
    const answer = await call(node, 'GetWorkflowExecutionHistory', { execution: { workflowId: this.workflowId, runId: this.runId } });
    return (answer.history as { events: Fields[] }).events;
  }

  async eventTypes(node: Node): Promise<string[]> {
    return (await this.events(node)).map((event) => String(event.eventType).replace('EVENT_TYPE_', ''));
  }

  /** What decided, as the run's worker sees it. */
  async decisions(node: Node): Promise<object[]> {
    return (await this.events(node)).flatMap((event) => {
      const signal = event.workflowExecutionSignaledEventAttributes as { input?: { payloads: { data: Buffer }[] } } | undefined;
      const data = signal?.input?.payloads[0]?.data;
      return data === undefined ? [] : [JSON.parse(data.toString()) as object];
    });
  }
}
