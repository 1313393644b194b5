/** The run itself: how it starts (from its first event) and the command that closes it. */
import proto, { type temporal } from '@temporalio/proto';
import Long from 'long';
import type { HistoryEvent, Payload } from '../../definitions/api.js';
import { EventType } from '../events.js';
import { Machine, type MachineOwner } from '../machine.js';
import type { ApiCommand, InitializeWorkflow, WorkflowCommand } from '../protocol.js';
import { randomnessSeed } from '../randomness-seed.js';
import { usesSameBuild } from './activity.js';
import { CommandType, fieldsOf, metadataOf, payloadsOf } from './command.js';

const { ContinueAsNewInitiator } = proto.temporal.api.enums.v1;
export type StartedAttributes = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

/** What a run starts with and inherits to the run that it continues as. */
export interface StartInfo {
  /** Time of the run's first event. */
  startMs: number;
  workflowTaskTimeoutMs: number;
  memo: StartedAttributes['memo'];
  retryPolicy: StartedAttributes['retryPolicy'];
  searchAttributes: { [key: string]: Payload };
}

export function seedAsLong(runId: string): Long {
  return Long.fromString(randomnessSeed(runId).toString(), true);
}

/** WorkflowExecutionStarted as the job that starts workflow code. */
export function initializeJob(attributes: StartedAttributes, workflowId: string, startTime: HistoryEvent['eventTime']): InitializeWorkflow {
  const parent = attributes.parentWorkflowExecution;
  return {
    workflowType: attributes.workflowType?.name,
    workflowId,
    arguments: attributes.input?.payloads ?? [],
    headers: attributes.header?.fields ?? {},
    identity: attributes.identity,
    parentWorkflowInfo: parent && {
      namespace: attributes.parentWorkflowNamespace,
      workflowId: parent.workflowId,
      runId: parent.runId,
    },
    workflowExecutionTimeout: attributes.workflowExecutionTimeout,
    workflowRunTimeout: attributes.workflowRunTimeout,
    workflowTaskTimeout: attributes.workflowTaskTimeout,
    continuedFromExecutionRunId: attributes.continuedExecutionRunId,
    continuedInitiator: attributes.initiator ?? ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED,
    continuedFailure: attributes.continuedFailure,
    lastCompletionResult: attributes.lastCompletionResult,
    firstExecutionRunId: attributes.firstExecutionRunId,
    originalExecutionRunId: attributes.originalExecutionRunId,
    retryPolicy: attributes.retryPolicy,
    attempt: attributes.attempt,
    cronSchedule: attributes.cronSchedule,
    workflowExecutionExpirationTime: attributes.workflowExecutionExpirationTime,
    cronScheduleToScheduleInterval: attributes.firstWorkflowTaskBackoff,
    memo: attributes.memo,
    searchAttributes: attributes.searchAttributes,
    startTime,
    rootWorkflow: attributes.rootWorkflowExecution,
    priority: attributes.priority,
  };
}

/** Whether a command closes the run. */
export function isTerminal(command: WorkflowCommand): boolean {
  return Boolean(
    command.completeWorkflowExecution ??
      command.failWorkflowExecution ??
      command.continueAsNewWorkflowExecution ??
      command.cancelWorkflowExecution,
  );
}

export class CloseMachine extends Machine {
  readonly #what: string;
  readonly #eventType: number;

  constructor(owner: MachineOwner, command: WorkflowCommand, start: StartInfo) {
    super(owner);
    const [what, eventType, apiCommand] = closeCommand(owner, command, start);
    this.#what = what;
    this.#eventType = eventType;
    owner.issue(this, { ...apiCommand, ...metadataOf(command) });
  }

  describe(): string {
    return this.#what;
  }

  commandRecorded(event: HistoryEvent): void {
    this.expect(event, this.#eventType);
    this.done = true;
  }
}

function closeCommand(owner: MachineOwner, command: WorkflowCommand, start: StartInfo): [string, number, ApiCommand] {
  if (command.completeWorkflowExecution) {
    const { result } = command.completeWorkflowExecution;
    return [
      'completed the workflow',
      EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
      {
        commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        completeWorkflowExecutionCommandAttributes: { result: result ? { payloads: [result] } : undefined },
      },
    ];
  }
  if (command.failWorkflowExecution) {
    return [
      `failed the workflow ('${command.failWorkflowExecution.failure?.message}')`,
      EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
      {
        commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
        failWorkflowExecutionCommandAttributes: { failure: command.failWorkflowExecution.failure },
      },
    ];
  }
  if (command.cancelWorkflowExecution) {
    return [
      'cancelled the workflow',
      EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
      {
        commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
        cancelWorkflowExecutionCommandAttributes: { details: command.cancelWorkflowExecution.details },
      },
    ];
  }
  return ['continued as new', EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, continueAsNewCommand(owner, command, start)];
}

/** What the code leaves out is taken over from this run. */
function continueAsNewCommand(owner: MachineOwner, command: WorkflowCommand, start: StartInfo): ApiCommand {
  const next = command.continueAsNewWorkflowExecution!;
  const hasAttributes = Object.keys(start.searchAttributes).length > 0;
  return {
    commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
    continueAsNewWorkflowExecutionCommandAttributes: {
      workflowType: { name: next.workflowType },
      taskQueue: { name: next.taskQueue },
      input: payloadsOf(next.arguments),
      workflowRunTimeout: next.workflowRunTimeout,
      workflowTaskTimeout: next.workflowTaskTimeout,
      backoffStartInterval: next.backoffStartInterval,
      memo: fieldsOf(next.memo) ?? (Object.keys(start.memo?.fields ?? {}).length > 0 ? start.memo : undefined),
      header: fieldsOf(next.headers),
      searchAttributes: next.searchAttributes ?? (hasAttributes ? { indexedFields: start.searchAttributes } : undefined),
      retryPolicy: next.retryPolicy ?? start.retryPolicy,
      inheritBuildId: usesSameBuild(next.versioningIntent, next.taskQueue, owner),
      initialVersioningBehavior: next.initialVersioningBehavior,
    },
  };
}
