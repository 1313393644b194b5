/** Changes what runs do: starts, signals, pauses, cancels and terminates them. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { InputOptions, ReasonOptions, StartWorkflowOptions } from '../commands/workflow.js';
import type { ConnectionOptions } from '../options.js';
import { payloadsOf } from '../output/payload.js';
import { print, printJson } from '../output/print.js';
import { withServer } from '../rpc/connection.js';
import type { WorkflowService } from '../rpc/open-api.js';

type StartRequest = Parameters<WorkflowService['startWorkflowExecution']>[0];
type Duration = NonNullable<StartRequest['workflowRunTimeout']>;

/** Who did it, in the history. */
const identity = `perdure-cli@${hostname()}`;

// protobufjs takes a plain number where its types ask for Long
const protoDuration = (ms: number | undefined): Duration | null =>
  ms === undefined ? null : { seconds: Math.floor(ms / 1000) as unknown as NonNullable<Duration['seconds']>, nanos: Math.round((ms % 1000) * 1_000_000) };

const report = (options: ConnectionOptions, json: object, words: string): void => {
  if (options.output === 'json') printJson(json);
  else print(words);
};

export const startWorkflow = (options: StartWorkflowOptions): Promise<void> =>
  withServer(options, async (server) => {
    const workflowId = options.workflowId ?? `${options.type}-${randomUUID()}`;
    const { runId } = await (await server.workflows()).startWorkflowExecution({
      namespace: options.namespace, workflowId, workflowType: { name: options.type }, taskQueue: { name: options.taskQueue }, input: payloadsOf(options.input) ?? null,
      workflowExecutionTimeout: protoDuration(options.executionTimeout), workflowRunTimeout: protoDuration(options.runTimeout), requestId: randomUUID(), identity,
    });
    report(options, { workflowId, runId }, `Started workflow ${workflowId}, run ${runId}.`);
  });

export const signalWorkflow = (workflowId: string, signalName: string, options: InputOptions): Promise<void> =>
  withServer(options, async (server) => {
    await (await server.workflows()).signalWorkflowExecution({
      namespace: options.namespace, workflowExecution: { workflowId, runId: options.runId ?? '' }, signalName, input: payloadsOf(options.input) ?? null, requestId: randomUUID(), identity,
    });
    report(options, { workflowId, signalName }, `Sent signal ${signalName} to workflow ${workflowId}.`);
  });

export const cancelWorkflow = (workflowId: string, options: ReasonOptions): Promise<void> =>
  withServer(options, async (server) => {
    await (await server.workflows()).requestCancelWorkflowExecution({
      namespace: options.namespace, workflowExecution: { workflowId, runId: options.runId ?? '' }, reason: options.reason, requestId: randomUUID(), identity,
    });
    report(options, { workflowId }, `Asked workflow ${workflowId} to cancel.`);
  });

const pauseRequest = (workflowId: string, { namespace, runId = '', reason }: ReasonOptions) => ({ namespace, workflowId, runId, reason, identity, requestId: randomUUID() });

export const pauseWorkflow = (workflowId: string, options: ReasonOptions): Promise<void> =>
  withServer(options, async (server) => {
    await (await server.workflows()).pauseWorkflowExecution(pauseRequest(workflowId, options));
    report(options, { workflowId }, `Paused workflow ${workflowId}.`);
  });

export const unpauseWorkflow = (workflowId: string, options: ReasonOptions): Promise<void> =>
  withServer(options, async (server) => {
    await (await server.workflows()).unpauseWorkflowExecution(pauseRequest(workflowId, options));
    report(options, { workflowId }, `Workflow ${workflowId} goes on.`);
  });

export const terminateWorkflow = (workflowId: string, options: ReasonOptions): Promise<void> =>
  withServer(options, async (server) => {
    await (await server.workflows()).terminateWorkflowExecution({
      namespace: options.namespace, workflowExecution: { workflowId, runId: options.runId ?? '' }, reason: options.reason, identity,
    });
    report(options, { workflowId }, `Terminated workflow ${workflowId}.`);
  });
