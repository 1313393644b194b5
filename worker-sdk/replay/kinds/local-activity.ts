/**
 * A local activity: executed inside the workflow task, its outcome written as a marker. While replaying, the marker is read ahead and
 * resolves the activity in the same activation in which it was resolved at first.
 */
import proto from '@temporalio/proto';
import type { HistoryEvent, Payload, ProtoFailure } from '../../definitions/api.js';
import { int64 } from '../../definitions/api.js';
import { tsToMs } from '../../definitions/duration.js';
import { EventType } from '../events.js';
import { describeEvent, Machine, type MachineOwner } from '../machine.js';
import { ReplayError } from '../nondeterminism.js';
import type { ApiCommand, Job, WorkflowCommand } from '../protocol.js';
import { CommandType, metadataOf } from './command.js';
import { jsonPayload, markerDetail } from './marker.js';

export const LOCAL_ACTIVITY_MARKER = 'core_local_activity';
const { ActivityCancellationType } = proto.coresdk.workflow_commands;
const RETRY_STATE_CANCEL_REQUESTED = 7;

export type ScheduleLocalActivity = NonNullable<WorkflowCommand['scheduleLocalActivity']>;

/** How a local activity ended, by execution or according to its marker. */
export interface LocalActivityOutcome {
  kind: 'completed' | 'failed' | 'timed out' | 'cancelled';
  result?: Payload | null;
  failure?: ProtoFailure | null;
  attempt: number;
  /** The pause before the next attempt, when it is so long that a durable timer does the waiting. */
  backoffMs?: number;
  originalScheduleTimeMs?: number;
  /** Moves the workflow's clock. */
  completeTimeMs?: number;
}

interface JsonTime {
  seconds: number;
  nanos: number;
}
interface MarkerData {
  seq: number;
  attempt: number;
  activity_id: string;
  activity_type: string;
  complete_time?: JsonTime | null;
  backoff?: JsonTime | null;
  original_schedule_time?: JsonTime | null;
}

/** What the machine of local activities needs of its run beside what every kind needs. */
export interface LocalActivityOwner extends MachineOwner {
  /** The workflow's clock, milliseconds since 1970. */
  readonly timeMs: number | undefined;
  requestLocalActivity(machine: LocalActivityMachine): void;
  cancelLocalActivity(machine: LocalActivityMachine): void;
  forgetLocalActivity(seq: number): void;
}

type State = 'requested' | 'marker queued' | 'marker sent' | 'awaiting marker' | 'resolved by marker' | 'recorded';

export class LocalActivityMachine extends Machine {
  #state: State;
  #writesMarker: boolean;
  #resultKind: LocalActivityOutcome['kind'] | undefined;
  readonly #startTimeMs: number | undefined;
  readonly #metadata: Pick<ApiCommand, 'userMetadata' | 'eventGroupMarkers'>;
  readonly schedule: ScheduleLocalActivity;
  readonly originalScheduleTimeMs: number;

  constructor(
    private readonly localOwner: LocalActivityOwner,
    command: WorkflowCommand,
    nowMs: number,
  ) {
    super(localOwner);
    this.schedule = command.scheduleLocalActivity!;
    this.#metadata = metadataOf(command);
    this.#startTimeMs = localOwner.timeMs;
    this.originalScheduleTimeMs = this.schedule.originalScheduleTime ? tsToMs(this.schedule.originalScheduleTime) : nowMs;
    this.#writesMarker = !localOwner.replaying;
    this.#state = localOwner.replaying ? 'awaiting marker' : 'requested';
    if (this.#state === 'requested') localOwner.requestLocalActivity(this);
  }

  get seq(): number {
    return this.schedule.seq!;
  }

  describe(): string {
    return `executed local activity '${this.schedule.activityType}' (id ${this.schedule.activityId})`;
  }

  /** The workflow went on without it and does not want it told. */
  get isAbandoned(): boolean {
    return this.schedule.cancellationType === ActivityCancellationType.ABANDON && this.#resultKind !== undefined;
  }

  get awaitsMarker(): boolean {
    return this.#state === 'awaiting marker';
  }

  /** Whether the marker's event needs no command to be matched with: it was resolved by reading ahead. */
  get markerNeedsNoCommand(): boolean {
    if (this.#state === 'resolved by marker') return true;
    if (this.#state === 'marker sent' || this.#state === 'marker queued') return false;
    throw new ReplayError(`The marker of local activity ${this.seq} came while it was ${this.#state}`);
  }

  /** A task is executed for the first time and no marker was found: the activity must run (again). */
  startUnlessMarked(): void {
    if (this.#state !== 'awaiting marker') return;
    this.#state = 'requested';
    this.#writesMarker = true;
    this.localOwner.requestLocalActivity(this);
  }

  /** The activity ended here. Returns whether that still matters. */
  executed(outcome: LocalActivityOutcome, runtimeMs: number): boolean {
    if (this.#state !== 'requested') return false;
    this.#state = 'marker queued';
    const completeTimeMs = this.#startTimeMs === undefined ? undefined : this.#startTimeMs + runtimeMs;
    this.#resolve({ ...outcome, completeTimeMs });
    return true;
  }

  /** Its marker was found in history. */
  resolveByMarker(outcome: LocalActivityOutcome): void {
    if (this.#state !== 'awaiting marker') throw new ReplayError(`A second marker for local activity ${this.seq}, which is ${this.#state}`);
    this.#state = 'resolved by marker';
    this.#resolve(outcome);
  }

  cancel(): void {
    const type = this.schedule.cancellationType ?? ActivityCancellationType.TRY_CANCEL;
    if (this.#state !== 'requested') {
      if (this.#state === 'marker queued' || this.#state === 'marker sent') return;
      if (this.#state === 'recorded' && type === ActivityCancellationType.ABANDON) return;
      this.localOwner.cancelLocalActivity(this);
      return;
    }
    if (type === ActivityCancellationType.WAIT_CANCELLATION_COMPLETED) {
      this.localOwner.cancelLocalActivity(this);
      return;
    }
    this.#state = 'marker queued';
    if (type === ActivityCancellationType.TRY_CANCEL) this.localOwner.cancelLocalActivity(this);
    // No complete time: what is not waited for does not move the clock.
    this.#resolve({ ...emptyCancellation(this.schedule.attempt ?? 1), originalScheduleTimeMs: this.originalScheduleTimeMs });
  }

  override commandQueued(): void {
    if (this.#state === 'marker queued') this.#state = 'marker sent';
  }

  commandRecorded(event: HistoryEvent): void {
    this.expect(event, EventType.EVENT_TYPE_MARKER_RECORDED);
    const data = markerDetail<MarkerData>(event, 'data');
    const same =
      data?.seq === this.seq && data.activity_id === this.schedule.activityId && data.activity_type === this.schedule.activityType;
    if (!same) throw this.mismatch(event);
    const failed = Boolean(event.markerRecordedEventAttributes?.failure);
    const contradicts = this.#resultKind === 'completed' ? failed : this.#resultKind === 'failed' && !failed;
    if (this.#state === 'marker sent' && contradicts) throw this.mismatch(event);
    this.#state = 'recorded';
    this.done = true;
  }

  #resolve(outcome: LocalActivityOutcome): void {
    this.#resultKind = outcome.kind;
    this.owner.pushJob(this.#job(outcome));
    if (outcome.completeTimeMs !== undefined) this.owner.advanceTime(outcome.completeTimeMs);
    const willNotRunAgain = outcome.kind === 'cancelled' || outcome.kind === 'timed out';
    if (willNotRunAgain && this.schedule.cancellationType === ActivityCancellationType.ABANDON)
      this.localOwner.forgetLocalActivity(this.seq);
    if (this.#writesMarker) this.#issueMarker(outcome);
  }

  #job({ kind, result, failure, attempt, backoffMs, originalScheduleTimeMs }: LocalActivityOutcome): Job {
    const { seq } = this;
    if (backoffMs !== undefined) {
      const backoff = {
        attempt: attempt + 1,
        backoffDuration: apiTime(backoffMs),
        originalScheduleTime: originalScheduleTimeMs === undefined ? undefined : apiTime(originalScheduleTimeMs),
      };
      return { resolveActivity: { seq, isLocal: true, result: { backoff } } };
    }
    if (kind === 'completed') return { resolveActivity: { seq, isLocal: true, result: { completed: { result } } } };
    if (kind === 'cancelled') {
      const wrapped = failure?.canceledFailureInfo ? this.#wrap('Local Activity cancelled', failure) : failure;
      return { resolveActivity: { seq, isLocal: true, result: { cancelled: { failure: wrapped } } } };
    }
    const wrapped = kind === 'timed out' && failure?.timeoutFailureInfo ? this.#wrap('Local Activity timed out', failure) : failure;
    return { resolveActivity: { seq, isLocal: true, result: { failed: { failure: wrapped } } } };
  }

  #wrap(message: string, cause: ProtoFailure): ProtoFailure {
    return {
      message,
      cause,
      activityFailureInfo: {
        activityType: { name: this.schedule.activityType },
        activityId: this.schedule.activityId,
        retryState: RETRY_STATE_CANCEL_REQUESTED,
      },
    };
  }

  #issueMarker({ result, failure, attempt, backoffMs, originalScheduleTimeMs, completeTimeMs }: LocalActivityOutcome): void {
    const data: MarkerData = {
      seq: this.seq,
      attempt,
      activity_id: this.schedule.activityId!,
      activity_type: this.schedule.activityType!,
      complete_time: jsonTime(completeTimeMs),
      backoff: jsonTime(backoffMs),
      original_schedule_time: jsonTime(originalScheduleTimeMs),
    };
    this.owner.issue(this, {
      commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
      recordMarkerCommandAttributes: {
        markerName: LOCAL_ACTIVITY_MARKER,
        details: { data: { payloads: [jsonPayload(data)] }, ...(result ? { result: { payloads: [result] } } : {}) },
        failure: failure ?? undefined,
      },
      ...this.#metadata,
    });
  }
}

/** How a cancellation without details looks. */
export function emptyCancellation(attempt: number): LocalActivityOutcome {
  return { kind: 'cancelled', failure: { message: 'Activity cancelled', canceledFailureInfo: {} }, attempt };
}

export function isLocalActivityMarker(event: HistoryEvent): boolean {
  return event.markerRecordedEventAttributes?.markerName === LOCAL_ACTIVITY_MARKER;
}

/** Reads a marker: which activity, and how it ended. */
export function readMarker(event: HistoryEvent): { seq: number; outcome: LocalActivityOutcome } {
  const data = markerDetail<MarkerData>(event, 'data');
  if (!data) throw new ReplayError(`Unreadable marker of a local activity: ${describeEvent(event)}`);
  const attributes = event.markerRecordedEventAttributes!;
  const failure = attributes.failure ?? undefined;
  const cancelled = failure?.canceledFailureInfo ?? failure?.cause?.canceledFailureInfo;
  return {
    seq: data.seq,
    outcome: {
      kind: failure ? (cancelled ? 'cancelled' : 'failed') : 'completed',
      result: attributes.details?.result?.payloads?.[0],
      failure,
      attempt: data.attempt,
      backoffMs: msOf(data.backoff),
      originalScheduleTimeMs: msOf(data.original_schedule_time),
      completeTimeMs: msOf(data.complete_time),
    },
  };
}

function jsonTime(ms: number | undefined): JsonTime | null {
  if (ms === undefined) return null;
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

function apiTime(ms: number) {
  const { seconds, nanos } = jsonTime(ms)!;
  return { seconds: int64(seconds), nanos };
}

function msOf(time: JsonTime | null | undefined): number | undefined {
  return time ? time.seconds * 1000 + time.nanos / 1e6 : undefined;
}
