/** A child workflow: initiated -> started (or start failed) -> completed, failed, timed out, cancelled or terminated. */
import proto from '@temporalio/proto';
import type { HistoryEvent, ProtoFailure } from '../../definitions/api.js';
import { int64 } from '../../definitions/api.js';
import { EventType, idOf } from '../events.js';
import { Machine, type MachineOwner } from '../machine.js';
import type { ApiCommand, WorkflowCommand } from '../protocol.js';
import { CoreFlag } from '../sdk-flags.js';
import { usesSameBuild } from './activity.js';
import { CommandType, fieldsOf, firstPayload, metadataOf, payloadsOf } from './command.js';
import { CancelExternalMachine } from './external.js';

const { ChildWorkflowCancellationType } = proto.coresdk.child_workflow;
const RETRY_STATE_NON_RETRYABLE_FAILURE = 2;
const TIMEOUT_TYPE_START_TO_CLOSE = 1;

type State = 'start queued' | 'initiated' | 'started' | 'closed';
type Start = NonNullable<WorkflowCommand['startChildWorkflowExecution']>;

export class ChildRunMachine extends Machine {
  #state: State = 'start queued';
  /** The code was told that the child is cancelled: later events of the child are nobody's business. */
  #resolved = false;
  readonly seq: number;
  readonly #namespace: string;
  readonly #workflowId: string;
  readonly #workflowType: string;
  readonly #cancellationType: number;
  #childRunId = '';
  #initiatedEventId = 0;
  #startedEventId = 0;
  #metadata: Pick<ApiCommand, 'userMetadata' | 'eventGroupMarkers'>;

  constructor(owner: MachineOwner, command: WorkflowCommand) {
    super(owner);
    const start = command.startChildWorkflowExecution!;
    this.seq = start.seq!;
    this.#namespace = start.namespace ?? '';
    this.#workflowId = start.workflowId!;
    this.#workflowType = start.workflowType!;
    this.#cancellationType = start.cancellationType ?? ChildWorkflowCancellationType.ABANDON;
    this.#metadata = metadataOf(command);
    owner.issue(this, startCommand(start, this.#metadata, owner));
  }

  describe(): string {
    return `started child workflow '${this.#workflowType}' (id '${this.#workflowId}')`;
  }

  cancel(command: WorkflowCommand): void {
    const reason = command.cancelChildWorkflowExecution?.reason ?? '';
    if (this.#state === 'start queued') {
      this.withdrawn = true;
      this.done = true;
      this.#state = 'closed';
      const message = `Child Workflow execution cancelled before scheduled: ${reason}`;
      const failure = this.#failure(message, { canceledFailureInfo: {} }, RETRY_STATE_NON_RETRYABLE_FAILURE);
      this.owner.pushJob({ resolveChildWorkflowExecutionStart: { seq: this.seq, cancelled: { failure } } });
    } else if (this.#state !== 'closed' && !this.#resolved) {
      if (this.#cancellationType !== ChildWorkflowCancellationType.ABANDON) {
        new CancelExternalMachine(this.owner, {
          namespace: this.#namespace,
          workflowId: this.#workflowId,
          runId: this.#childRunId,
          childWorkflowOnly: true,
          reason,
          metadata: { ...this.#metadata, ...metadataOf(command) },
        });
      }
      if (this.#resolvesAtOnce) {
        this.#resolved = true;
        this.#resolveCancelled();
      }
    }
  }

  commandRecorded(event: HistoryEvent, lastTask: boolean): void {
    this.expect(event, EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
    const attributes = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (this.owner.flags.use(CoreFlag.IdAndTypeChecks, lastTask)) {
      if (attributes?.workflowId !== this.#workflowId || attributes.workflowType?.name !== this.#workflowType) throw this.mismatch(event);
    }
    this.#initiatedEventId = idOf(event);
    this.#state = 'initiated';
  }

  override answered(event: HistoryEvent): void {
    const { seq } = this;
    if (event.childWorkflowExecutionStartedEventAttributes) {
      this.#state = 'started';
      this.#startedEventId = idOf(event);
      this.#childRunId = event.childWorkflowExecutionStartedEventAttributes.workflowExecution?.runId ?? '';
      if (!this.#resolved) this.owner.pushJob({ resolveChildWorkflowExecutionStart: { seq, succeeded: { runId: this.#childRunId } } });
      return;
    }
    this.#state = 'closed';
    this.done = true;
    if (this.#resolved) return;
    if (event.startChildWorkflowExecutionFailedEventAttributes) {
      const { cause } = event.startChildWorkflowExecutionFailedEventAttributes;
      // The causes that code can tell apart have the same numbers in both enums.
      const failed = { workflowId: this.#workflowId, workflowType: this.#workflowType, cause: cause as number };
      this.owner.pushJob({ resolveChildWorkflowExecutionStart: { seq, failed } });
    } else if (event.childWorkflowExecutionCompletedEventAttributes) {
      const result = firstPayload(event.childWorkflowExecutionCompletedEventAttributes.result);
      this.owner.pushJob({ resolveChildWorkflowExecution: { seq, result: { completed: { result } } } });
    } else if (event.eventType === EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED) {
      this.#resolveCancelled();
    } else {
      this.#resolveFailed(event);
    }
  }

  get #resolvesAtOnce(): boolean {
    const { ABANDON, TRY_CANCEL } = ChildWorkflowCancellationType;
    return this.#cancellationType === ABANDON || this.#cancellationType === TRY_CANCEL;
  }

  #failure(message: string, cause: ProtoFailure | null | undefined, retryState: number | null | undefined): ProtoFailure {
    return {
      message,
      cause,
      childWorkflowExecutionFailureInfo: {
        namespace: this.#namespace,
        workflowExecution: { workflowId: this.#workflowId, runId: this.#childRunId },
        workflowType: { name: this.#workflowType },
        initiatedEventId: int64(this.#initiatedEventId),
        startedEventId: int64(this.#startedEventId),
        retryState: retryState ?? 0,
      },
    };
  }

  #resolveFailed(event: HistoryEvent): void {
    let failure: ProtoFailure;
    if (event.childWorkflowExecutionFailedEventAttributes) {
      const { failure: cause, retryState } = event.childWorkflowExecutionFailedEventAttributes;
      failure = this.#failure('Child Workflow execution failed', cause, retryState);
    } else if (event.childWorkflowExecutionTimedOutEventAttributes) {
      const cause = { message: 'Timed out', timeoutFailureInfo: { timeoutType: TIMEOUT_TYPE_START_TO_CLOSE } };
      failure = this.#failure('Child Workflow execution timed out', cause, event.childWorkflowExecutionTimedOutEventAttributes.retryState);
    } else if (event.eventType === EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED) {
      const cause = { message: 'Terminated', terminatedFailureInfo: {} };
      failure = this.#failure('Child Workflow execution terminated', cause, RETRY_STATE_NON_RETRYABLE_FAILURE);
    } else {
      throw this.mismatch(event);
    }
    this.owner.pushJob({ resolveChildWorkflowExecution: { seq: this.seq, result: { failed: { failure } } } });
  }

  #resolveCancelled(): void {
    const failure = this.#failure('Child Workflow execution cancelled', { canceledFailureInfo: {} }, RETRY_STATE_NON_RETRYABLE_FAILURE);
    this.owner.pushJob({ resolveChildWorkflowExecution: { seq: this.seq, result: { cancelled: { failure } } } });
  }
}

function startCommand(start: Start, metadata: ReturnType<typeof metadataOf>, owner: MachineOwner): ApiCommand {
  return {
    commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
    startChildWorkflowExecutionCommandAttributes: {
      namespace: start.namespace,
      workflowId: start.workflowId,
      workflowType: { name: start.workflowType },
      taskQueue: { name: start.taskQueue },
      header: fieldsOf(start.headers),
      memo: fieldsOf(start.memo),
      searchAttributes: start.searchAttributes,
      input: payloadsOf(start.input),
      workflowIdReusePolicy: start.workflowIdReusePolicy,
      workflowExecutionTimeout: start.workflowExecutionTimeout,
      workflowRunTimeout: start.workflowRunTimeout,
      workflowTaskTimeout: start.workflowTaskTimeout,
      retryPolicy: start.retryPolicy,
      cronSchedule: start.cronSchedule,
      parentClosePolicy: start.parentClosePolicy,
      inheritBuildId: usesSameBuild(start.versioningIntent, start.taskQueue, owner),
      priority: start.priority,
    },
    ...metadata,
  };
}
