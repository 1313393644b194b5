/** Signals and cancel requests to other workflows: initiated -> delivered or failed. */
import proto from '@temporalio/proto';
import type { HistoryEvent } from '../../definitions/api.js';
import { EventType } from '../events.js';
import { Machine, type MachineOwner } from '../machine.js';
import type { ApiCommand, WorkflowCommand } from '../protocol.js';
import { CommandType, fieldsOf, metadataOf, payloadsOf } from './command.js';

const SignalFailedCause = proto.temporal.api.enums.v1.SignalExternalWorkflowExecutionFailedCause;
const CancelFailedCause = proto.temporal.api.enums.v1.CancelExternalWorkflowExecutionFailedCause;

/** `ExternalWorkflowExecutionNotFound` for …_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND: the type of the failure that the code sees. */
function causeName(name: string | undefined, prefix: string): string {
  return (name ?? 'UNSPECIFIED')
    .replace(prefix, '')
    .toLowerCase()
    .replace(/(^|_)([a-z])/g, (_all, _gap, letter: string) => letter.toUpperCase());
}

/** A signal to another workflow or to a child. */
export class SignalExternalMachine extends Machine {
  #recorded = false;
  readonly seq: number;
  readonly #signalName: string;
  readonly #workflowId: string;

  constructor(owner: MachineOwner, command: WorkflowCommand) {
    super(owner);
    const signal = command.signalExternalWorkflowExecution!;
    this.seq = signal.seq!;
    this.#signalName = signal.signalName!;
    const child = signal.childWorkflowId;
    const target = child ? { namespace: owner.namespace, workflowId: child, runId: '' } : signal.workflowExecution;
    this.#workflowId = target?.workflowId ?? '';
    owner.issue(this, {
      commandType: CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
      signalExternalWorkflowExecutionCommandAttributes: {
        namespace: target?.namespace,
        execution: { workflowId: target?.workflowId, runId: target?.runId },
        signalName: this.#signalName,
        input: payloadsOf(signal.args),
        header: fieldsOf(signal.headers),
        childWorkflowOnly: Boolean(child),
      },
      ...metadataOf(command),
    });
  }

  describe(): string {
    return `sent signal '${this.#signalName}' to workflow '${this.#workflowId}'`;
  }

  /** Only a signal that was not sent yet can be taken back. */
  cancel(): void {
    if (this.#recorded || this.done) return;
    this.withdrawn = true;
    this.done = true;
    const failure = { message: 'Signal was cancelled before being sent', canceledFailureInfo: {} };
    this.owner.pushJob({ resolveSignalExternalWorkflow: { seq: this.seq, failure } });
  }

  commandRecorded(event: HistoryEvent): void {
    this.expect(event, EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED);
    this.#recorded = true;
  }

  override answered(event: HistoryEvent): void {
    this.done = true;
    const failed = event.signalExternalWorkflowExecutionFailedEventAttributes;
    if (!failed) {
      this.expect(event, EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED);
      this.owner.pushJob({ resolveSignalExternalWorkflow: { seq: this.seq } });
      return;
    }
    const cause = failed.cause ?? 0;
    const reason =
      cause === SignalFailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED
        ? 'The per-workflow signal limit was exceeded'
        : cause === SignalFailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED
          ? 'unknown'
          : 'it was not found';
    const type = causeName(SignalFailedCause[cause], 'SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_');
    const failure = { message: `Unable to signal external workflow because ${reason}`, applicationFailureInfo: { type } };
    this.owner.pushJob({ resolveSignalExternalWorkflow: { seq: this.seq, failure } });
  }
}

export interface CancelExternal {
  /** Absent when the SDK itself cancels a child: then nobody waits for the answer. */
  seq?: number;
  namespace: string;
  workflowId: string;
  runId: string;
  childWorkflowOnly: boolean;
  reason: string;
  metadata: Pick<ApiCommand, 'userMetadata' | 'eventGroupMarkers'>;
}

/** A request to cancel another workflow or a child. */
export class CancelExternalMachine extends Machine {
  readonly #request: Pick<CancelExternal, 'seq' | 'workflowId'>;

  constructor(owner: MachineOwner, { seq, metadata, ...attributes }: CancelExternal) {
    super(owner);
    this.#request = { seq, workflowId: attributes.workflowId };
    owner.issue(this, {
      commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
      requestCancelExternalWorkflowExecutionCommandAttributes: attributes,
      ...metadata,
    });
  }

  static fromWorkflow(owner: MachineOwner, command: WorkflowCommand): CancelExternalMachine {
    const { seq, workflowExecution, reason } = command.requestCancelExternalWorkflowExecution!;
    return new CancelExternalMachine(owner, {
      seq: seq!,
      namespace: workflowExecution?.namespace ?? owner.namespace,
      workflowId: workflowExecution?.workflowId ?? '',
      runId: workflowExecution?.runId ?? '',
      childWorkflowOnly: false,
      reason: `Cancel requested by workflow with run id ${owner.runId} with reason: ${reason ?? ''}`,
      metadata: metadataOf(command),
    });
  }

  describe(): string {
    return `requested cancellation of workflow '${this.#request.workflowId}'`;
  }

  commandRecorded(event: HistoryEvent): void {
    this.expect(event, EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED);
  }

  override answered(event: HistoryEvent): void {
    this.done = true;
    const { seq } = this.#request;
    const failed = event.requestCancelExternalWorkflowExecutionFailedEventAttributes;
    if (!failed) this.expect(event, EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
    if (seq === undefined) return;
    if (!failed) {
      this.owner.pushJob({ resolveRequestCancelExternalWorkflow: { seq } });
      return;
    }
    const cause = failed.cause ?? 0;
    const unknown = cause === CancelFailedCause.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_UNSPECIFIED;
    const type = causeName(CancelFailedCause[cause], 'CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_');
    const message = `Unable to cancel external workflow because ${unknown ? 'unknown' : 'not found'}`;
    this.owner.pushJob({ resolveRequestCancelExternalWorkflow: { seq, failure: { message, applicationFailureInfo: { type } } } });
  }
}
