/** Looks at runs: lists them, prints their history, their state, their result, asks them. */
import type { temporal } from '@temporalio/proto';
import { UserError } from '../errors.js';
import type { InputOptions, ListWorkflowsOptions, WorkflowOptions } from '../commands/workflow.js';
import { eventName, failureText, historyTable } from '../output/history-table.js';
import { payloadsOf, payloadText, payloadsText } from '../output/payload.js';
import { pairs, print, printJson, table } from '../output/print.js';
import { fromNow, isoTime } from '../output/time.js';
import { type Connection, withServer } from '../rpc/connection.js';
import { enumName, toProtoJson } from '../rpc/open-api.js';
import { readHistory } from '../rpc/read-history.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type ExecutionInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo;

const ENUMS = 'temporal.api.enums.v1.';
const SERVICE = 'temporal.api.workflowservice.v1.';
/** HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT */
const CLOSE_EVENT = 2;

const short = (enumType: string, prefix: string, value: number | null | undefined): string => enumName(`${ENUMS}${enumType}`, value).replace(prefix, '').toLowerCase().replaceAll('_', ' ');

export const listWorkflows = (options: ListWorkflowsOptions): Promise<void> =>
  withServer(options, async (server) => {
    const api = await server.workflows();
    const found: ExecutionInfo[] = [];
    let nextPageToken: Uint8Array = new Uint8Array();
    do {
      const page = await api.listWorkflowExecutions({ namespace: options.namespace, query: options.query, pageSize: Math.min(1000, options.limit - found.length), nextPageToken });
      found.push(...page.executions);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken.length > 0 && found.length < options.limit);
    const rows = found.slice(0, options.limit);
    if (options.output === 'json') return printJson(rows.map((run) => toProtoJson('temporal.api.workflow.v1.WorkflowExecutionInfo', run)));
    if (rows.length === 0) return print(`No workflows in namespace "${options.namespace}"${options.query === '' ? '' : ' that fit the query'}.`);
    print(table(['STATUS', 'WORKFLOW ID', 'TYPE', 'STARTED', 'CLOSED', 'RUN ID'], rows.map(listRow)));
  });

const listRow = (run: ExecutionInfo): string[] => [
  short('WorkflowExecutionStatus', 'WORKFLOW_EXECUTION_STATUS_', run.status),
  run.execution?.workflowId ?? '',
  run.type?.name ?? '',
  fromNow(run.startTime),
  run.closeTime ? fromNow(run.closeTime) : '',
  run.execution?.runId ?? '',
];

export const showWorkflow = (workflowId: string, options: WorkflowOptions): Promise<void> =>
  withServer(options, async (server) => {
    const events = await readHistory(server, workflowId, options);
    if (options.output === 'json') printJson(toProtoJson('temporal.api.history.v1.History', { events }));
    else print(historyTable(events));
  });

export const describeWorkflow = (workflowId: string, options: WorkflowOptions): Promise<void> =>
  withServer(options, async (server) => {
    const found = await (await server.workflows()).describeWorkflowExecution({ namespace: options.namespace, execution: { workflowId, runId: options.runId ?? '' } });
    if (options.output === 'json') return printJson(toProtoJson(`${SERVICE}DescribeWorkflowExecutionResponse`, found));
    print(summary(found));
    for (const section of pending(found)) print(`\n${section}`);
  });

const summary = ({ workflowExecutionInfo: info, workflowExtendedInfo: extended }: temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse): string =>
  pairs([
    ['Workflow', info?.execution?.workflowId ?? ''],
    ['Run', info?.execution?.runId ?? ''],
    ['Type', info?.type?.name ?? ''],
    ['Status', short('WorkflowExecutionStatus', 'WORKFLOW_EXECUTION_STATUS_', info?.status)],
    ['Paused', pauseText(extended?.pauseInfo)],
    ['Task queue', info?.taskQueue ?? ''],
    ['Started', isoTime(info?.startTime)],
    ['Closed', isoTime(info?.closeTime)],
    ['Events', String(info?.historyLength ?? '')],
    ['History bytes', String(info?.historySizeBytes ?? '')],
    ['Parent', info?.parentExecution?.workflowId ?? ''],
    ...Object.entries(info?.memo?.fields ?? {}).map(([name, payload]): [string, string] => [`Memo ${name}`, payloadText(payload)]),
  ]);

const pauseText = (pause: temporal.api.workflow.v1.IWorkflowExecutionPauseInfo | null | undefined): string =>
  pause ? `since ${isoTime(pause.pausedTime)}, by ${pause.identity || 'nobody named'}${pause.reason ? `: ${pause.reason}` : ''}` : '';

const pending = (found: temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse): string[] => {
  const sections: string[] = [];
  const task = found.pendingWorkflowTask;
  if (task) sections.push(`Workflow task: ${short('PendingWorkflowTaskState', 'PENDING_WORKFLOW_TASK_STATE_', task.state)}, attempt ${task.attempt}, since ${isoTime(task.scheduledTime)}`);
  if (found.pendingActivities?.length)
    sections.push(
      table(
        ['ACTIVITY', 'TYPE', 'STATE', 'ATTEMPT', 'LAST FAILURE'],
        found.pendingActivities.map((a) => [a.activityId ?? '', a.activityType?.name ?? '', short('PendingActivityState', 'PENDING_ACTIVITY_STATE_', a.state), String(a.attempt ?? 1), failureText(a.lastFailure)]),
      ),
    );
  if (found.pendingChildren?.length) sections.push(table(['CHILD', 'TYPE', 'RUN ID'], found.pendingChildren.map((c) => [c.workflowId ?? '', c.workflowTypeName ?? '', c.runId ?? ''])));
  if (found.callbacks?.length)
    sections.push(
      table(
        ['CALLBACK', 'STATE', 'CALLS', 'NEXT CALL', 'LAST FAILURE'],
        found.callbacks.map((c) => [c.callback?.nexus?.url ?? '', short('CallbackState', 'CALLBACK_STATE_', c.state), String(c.attempt ?? 0), isoTime(c.nextAttemptScheduleTime), failureText(c.lastAttemptFailure)]),
      ),
    );
  return sections;
};

export const printResult = (workflowId: string, options: WorkflowOptions): Promise<void> =>
  withServer(options, async (server) => {
    const event = await closeEvent(server, workflowId, options);
    if (options.output === 'json') printJson(toProtoJson('temporal.api.history.v1.HistoryEvent', event));
    const completed = event.workflowExecutionCompletedEventAttributes;
    if (completed) {
      if (options.output !== 'json') print(payloadsText(completed.result) || 'null');
      return;
    }
    const failure = failureText(event.workflowExecutionFailedEventAttributes?.failure) || event.workflowExecutionTerminatedEventAttributes?.reason || '';
    throw new UserError(`${eventName(event.eventType)}${failure === '' ? '' : `: ${failure}`}`);
  });

/** Waits for the end of the chain: a run that continued as new, or is tried again, is not the end. */
const closeEvent = async (server: Connection, workflowId: string, options: WorkflowOptions): Promise<HistoryEvent> => {
  const api = await server.workflows();
  let runId = options.runId ?? '';
  let nextPageToken: Uint8Array = new Uint8Array();
  for (;;) {
    const page = await api.getWorkflowExecutionHistory({
      namespace: options.namespace, execution: { workflowId, runId }, waitNewEvent: true, historyEventFilterType: CLOSE_EVENT, nextPageToken,
    });
    nextPageToken = page.nextPageToken;
    const event = page.history?.events?.[0];
    if (event === undefined) continue; // the server's wait ended before the run did
    const next = nextRun(event);
    if (next === '') return event;
    runId = next;
    nextPageToken = new Uint8Array();
  }
};

const nextRun = (event: HistoryEvent): string =>
  event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ||
  event.workflowExecutionCompletedEventAttributes?.newExecutionRunId ||
  event.workflowExecutionFailedEventAttributes?.newExecutionRunId ||
  event.workflowExecutionTimedOutEventAttributes?.newExecutionRunId ||
  '';

/** A worker that is there answers sooner. */
const ANSWER_MS = 2_000;
const NO_ANSWER_YET = 'perdure: waiting for a worker of the workflow to answer; `perdure task-queue describe` tells whether one is there\n';

export const queryWorkflow = (workflowId: string, queryType: string, options: InputOptions): Promise<void> =>
  withServer(options, async (server) => {
    const api = await server.workflows();
    const queryArgs = payloadsOf(options.input) ?? null;
    const waiting = setTimeout(() => process.stderr.write(NO_ANSWER_YET), ANSWER_MS);
    const answer = await api
      .queryWorkflow({ namespace: options.namespace, execution: { workflowId, runId: options.runId ?? '' }, query: { queryType, queryArgs } })
      .finally(() => clearTimeout(waiting));
    if (options.output === 'json') printJson(toProtoJson(`${SERVICE}QueryWorkflowResponse`, answer));
    else print(payloadsText(answer.queryResult) || 'null');
  });
