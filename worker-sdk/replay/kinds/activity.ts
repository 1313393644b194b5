/** An activity: scheduled -> (started) -> completed, failed, timed out or cancelled, by one of three ways to cancel. */
import proto from '@temporalio/proto';
import type { HistoryEvent, ProtoFailure } from '../../definitions/api.js';
import { int64, toNumber } from '../../definitions/api.js';
import { EventType, idOf } from '../events.js';
import { Machine, type MachineOwner } from '../machine.js';
import type { ApiCommand, WorkflowCommand } from '../protocol.js';
import { CoreFlag } from '../sdk-flags.js';
import { CommandType, fieldsOf, firstPayload, metadataOf, payloadsOf } from './command.js';

const { ActivityCancellationType } = proto.coresdk.workflow_commands;
const RETRY_STATE_CANCEL_REQUESTED = 7;

type State = 'schedule queued' | 'scheduled' | 'cancel queued' | 'cancel requested' | 'closed';
type Schedule = NonNullable<WorkflowCommand['scheduleActivity']>;
type Ids = { startedEventId?: unknown; scheduledEventId?: unknown; identity?: string | null };

export class ActivityMachine extends Machine {
  #state: State = 'schedule queued';
  readonly seq: number;
  readonly #activityId: string;
  readonly #activityType: string;
  readonly #cancellationType: number;
  #scheduledEventId = 0;
  #metadata: Pick<ApiCommand, 'userMetadata' | 'eventGroupMarkers'>;

  constructor(owner: MachineOwner, command: WorkflowCommand) {
    super(owner);
    const schedule = command.scheduleActivity!;
    this.seq = schedule.seq!;
    this.#activityId = schedule.activityId!;
    this.#activityType = schedule.activityType!;
    this.#cancellationType = schedule.cancellationType ?? ActivityCancellationType.TRY_CANCEL;
    this.#metadata = metadataOf(command);
    owner.issue(this, scheduleCommand(schedule, this.#metadata, owner));
  }

  describe(): string {
    const verb = this.#state === 'cancel queued' ? 'requested cancellation of' : 'scheduled';
    return `${verb} activity '${this.#activityType}' (id ${this.#activityId})`;
  }

  /** The workflow asks to cancel. Depending on the type it is answered now or when the activity ends. */
  cancel(command: WorkflowCommand): void {
    if (this.#state !== 'schedule queued' && this.#state !== 'scheduled') return;
    if (this.#state === 'schedule queued') {
      this.withdrawn = true;
      this.#close();
      this.#resolveCancelled({});
    } else if (this.#cancellationType === ActivityCancellationType.ABANDON) {
      this.#state = 'closed';
      this.#resolveCancelled({});
    } else {
      this.#state = 'cancel queued';
      this.owner.issue(this, {
        commandType: CommandType.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
        requestCancelActivityTaskCommandAttributes: { scheduledEventId: int64(this.#scheduledEventId) },
        ...this.#metadata,
        ...metadataOf(command),
      });
      if (!this.#waitsForCancellation) this.#resolveCancelled({});
    }
  }

  commandRecorded(event: HistoryEvent, lastTask: boolean): void {
    if (this.#state === 'schedule queued') {
      this.expect(event, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
      this.#checkIdentity(event, lastTask);
      this.#scheduledEventId = idOf(event);
      this.#state = 'scheduled';
    } else {
      this.expect(event, EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
      this.#state = 'cancel requested';
    }
  }

  override answered(event: HistoryEvent): void {
    if (event.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED) return;
    const listening = this.#state === 'scheduled' || (this.#state !== 'closed' && this.#waitsForCancellation);
    const abandonedEarlier = this.#state === 'closed';
    this.#close();
    if (!listening) return;
    const { seq } = this;
    if (event.activityTaskCompletedEventAttributes) {
      const result = firstPayload(event.activityTaskCompletedEventAttributes.result);
      this.owner.pushJob({ resolveActivity: { seq, result: { completed: { result } } } });
    } else if (event.activityTaskFailedEventAttributes) {
      const { failure, retryState } = event.activityTaskFailedEventAttributes;
      this.#resolveFailed('Activity task failed', failure, retryState, event.activityTaskFailedEventAttributes);
    } else if (event.activityTaskTimedOutEventAttributes) {
      const { failure, retryState } = event.activityTaskTimedOutEventAttributes;
      this.#resolveFailed('Activity task timed out', failure, retryState, event.activityTaskTimedOutEventAttributes);
    } else if (event.activityTaskCanceledEventAttributes && !abandonedEarlier) {
      this.#resolveCancelled(event.activityTaskCanceledEventAttributes);
    } else {
      throw this.mismatch(event);
    }
  }

  get #waitsForCancellation(): boolean {
    return this.#cancellationType === ActivityCancellationType.WAIT_CANCELLATION_COMPLETED;
  }

  #close(): void {
    this.#state = 'closed';
    this.done = true;
  }

  #checkIdentity(event: HistoryEvent, lastTask: boolean): void {
    if (!this.owner.flags.use(CoreFlag.IdAndTypeChecks, lastTask)) return;
    const attributes = event.activityTaskScheduledEventAttributes;
    if (attributes?.activityId !== this.#activityId || attributes.activityType?.name !== this.#activityType) throw this.mismatch(event);
  }

  #failure(message: string, cause: ProtoFailure | null | undefined, retryState: number | null | undefined, ids: Ids): ProtoFailure {
    return {
      message,
      cause,
      activityFailureInfo: {
        identity: ids.identity ?? '',
        activityType: { name: this.#activityType },
        activityId: this.#activityId,
        retryState: retryState ?? 0,
        startedEventId: int64(toNumber(ids.startedEventId as number)),
        scheduledEventId: int64(toNumber(ids.scheduledEventId as number)),
      },
    };
  }

  #resolveFailed(message: string, cause: ProtoFailure | null | undefined, retryState: number | null | undefined, ids: Ids): void {
    // A timed out activity's last worker is not the one that failed it.
    const identity = message.endsWith('timed out') ? '' : ids.identity;
    const failure = this.#failure(message, cause, retryState, { ...ids, identity });
    this.owner.pushJob({ resolveActivity: { seq: this.seq, result: { failed: { failure } } } });
  }

  #resolveCancelled(event: Ids & { details?: unknown }): void {
    const cause: ProtoFailure = { canceledFailureInfo: { details: (event.details as { payloads: [] } | undefined) ?? undefined } };
    const failure = this.#failure('Activity cancelled', cause, RETRY_STATE_CANCEL_REQUESTED, event);
    this.owner.pushJob({ resolveActivity: { seq: this.seq, result: { cancelled: { failure } } } });
  }
}

function scheduleCommand(schedule: Schedule, metadata: ReturnType<typeof metadataOf>, owner: MachineOwner): ApiCommand {
  return {
    commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
    scheduleActivityTaskCommandAttributes: {
      activityId: schedule.activityId,
      activityType: { name: schedule.activityType },
      taskQueue: { name: schedule.taskQueue },
      header: fieldsOf(schedule.headers),
      input: payloadsOf(schedule.arguments),
      scheduleToCloseTimeout: schedule.scheduleToCloseTimeout,
      scheduleToStartTimeout: schedule.scheduleToStartTimeout,
      startToCloseTimeout: schedule.startToCloseTimeout,
      heartbeatTimeout: schedule.heartbeatTimeout,
      retryPolicy: schedule.retryPolicy,
      requestEagerExecution: !schedule.doNotEagerlyExecute,
      useWorkflowBuildId: usesSameBuild(schedule.versioningIntent, schedule.taskQueue, owner),
      priority: schedule.priority,
    },
    ...metadata,
  };
}

/** Whether what is started stays with this worker's build: when asked for, or by default on the same task queue. */
export function usesSameBuild(intent: number | null | undefined, taskQueue: string | null | undefined, owner: MachineOwner): boolean {
  const { VersioningIntent } = proto.coresdk.common;
  if (intent === VersioningIntent.COMPATIBLE) return true;
  if (intent === VersioningIntent.DEFAULT) return false;
  return !taskQueue || taskQueue === owner.taskQueue;
}
