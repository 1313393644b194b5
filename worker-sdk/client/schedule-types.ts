/** Schedules: what happens at their times, and what is known about them. */
import type { temporal } from '../definitions/api.js';
import type { Duration } from '../definitions/duration.js';
import { enumNames } from '../definitions/enum-names.js';
import type { Headers, Next } from '../definitions/interceptors.js';
import type { Workflow } from '../definitions/workflow.js';
import type { SearchAttributePair, SearchAttributes, TypedSearchAttributes } from '../payload/search-attributes.js';
import type { ScheduleSpec, ScheduleSpecDescription } from './schedule-times.js';
import type { WorkflowStartOptions } from './workflow-options.js';

/** What happens when an action is due while an earlier one still runs. */
export const ScheduleOverlapPolicy = {
  /** Nothing (default). */
  SKIP: 'SKIP',
  /** It starts when the earlier one is done; one waits at most. */
  BUFFER_ONE: 'BUFFER_ONE',
  /** It starts when all earlier ones are done. */
  BUFFER_ALL: 'BUFFER_ALL',
  /** The earlier one is cancelled, then it starts. */
  CANCEL_OTHER: 'CANCEL_OTHER',
  /** The earlier one is terminated, and it starts. */
  TERMINATE_OTHER: 'TERMINATE_OTHER',
  /** It starts beside the earlier one. */
  ALLOW_ALL: 'ALLOW_ALL',
} as const;
export type ScheduleOverlapPolicy = (typeof ScheduleOverlapPolicy)[keyof typeof ScheduleOverlapPolicy];
/** Schedule overlap policy: the API's number for a name, and the name for a number. */
export const [encodeScheduleOverlapPolicy, decodeScheduleOverlapPolicy] = enumNames(
  { SKIP: 1, BUFFER_ONE: 2, BUFFER_ALL: 3, CANCEL_OTHER: 4, TERMINATE_OTHER: 5, ALLOW_ALL: 6 },
  'SCHEDULE_OVERLAP_POLICY_',
);

type StartOptions<W extends Workflow> = Pick<
  WorkflowStartOptions<W>,
  | 'taskQueue'
  | 'args'
  | 'memo'
  | 'searchAttributes'
  | 'typedSearchAttributes'
  | 'retry'
  | 'workflowExecutionTimeout'
  | 'workflowRunTimeout'
  | 'workflowTaskTimeout'
  | 'staticSummary'
  | 'staticDetails'
  | 'priority'
>;

/** Starts a workflow of a `workflowType`, given as its name or its function. */
export type ScheduleOptionsStartWorkflowAction<W extends Workflow> = {
  type: 'startWorkflow';
  workflowType: string | W;
  /** The time is appended to it for each start. Default `<scheduleId>-workflow`. */
  workflowId?: string;
} & StartOptions<W>;
/** What a schedule does, as a client says it. */
export type ScheduleOptionsAction = ScheduleOptionsStartWorkflowAction<Workflow>;

/** The workflow that a described schedule starts, by the name of its `workflowType`. */
export type ScheduleDescriptionStartWorkflowAction = {
  type: 'startWorkflow';
  workflowType: string;
  /** The time is appended to it for each start. */
  workflowId: string;
} & StartOptions<Workflow>;
/** What a described schedule does. */
export type ScheduleDescriptionAction = ScheduleDescriptionStartWorkflowAction;
/** What a schedule does, with defaults filled in: `args` are those of the workflow, not yet converted. */
export type CompiledScheduleAction = ScheduleDescriptionAction & { args: unknown[] };

/** The workflow that a listed schedule starts. */
export interface ScheduleSummaryStartWorkflowAction {
  type: 'startWorkflow';
  /** Name of the workflow. */
  workflowType: string;
}
/** What a listed schedule does. */
export type ScheduleSummaryAction = ScheduleSummaryStartWorkflowAction;

/** Takes actions for times gone by, all at once. */
export interface Backfill {
  /** Times after this are made up for. */
  start: Date;
  /** Times after this are not. */
  end: Date;
  /** Default: the schedule's own policy. */
  overlap?: ScheduleOverlapPolicy;
}

/** A schedule to be made. */
export interface ScheduleOptions<A = ScheduleOptionsAction> {
  /** Unique in its namespace: ScheduleAlreadyRunning is thrown for one that exists. */
  scheduleId: string;
  /** When actions are due. */
  spec: ScheduleSpec;
  /** What is done then. */
  action: A;
  /** What is done when something comes between. */
  policies?: {
    /** Default `SKIP`. */
    overlap?: ScheduleOverlapPolicy;
    /** After an outage, actions are made up for that are late by this at most. Default one year. */
    catchupWindow?: Duration;
    /** Whether the schedule pauses when a workflow fails or times out. Default false. */
    pauseOnFailure?: boolean;
  };
  /** Values shown with the schedule, not searchable. */
  memo?: Record<string, unknown>;
  /** @deprecated Use `typedSearchAttributes`. */
  searchAttributes?: SearchAttributes;
  /** Values by which the schedule is found; those of the workflows that it starts are in {@link action}. */
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes;
  /** How it begins. */
  state?: {
    /** Takes no actions on time until it is unpaused. Default false. */
    paused?: boolean;
    /** For people, for example why it is paused. */
    note?: string;
    /** Actions left; without it, no limit. */
    remainingActions?: number;
    /** Take one action at once. */
    triggerImmediately?: boolean;
    /** Make up for times gone by at once. */
    backfill?: Backfill[];
  };
}

/** {@link ScheduleOptions} with defaults filled in. */
export type CompiledScheduleOptions = ScheduleOptions<CompiledScheduleAction>;

/** What {@link ScheduleHandle.update} changes a schedule to. */
export type ScheduleUpdateOptions<A = ScheduleOptionsAction> = Omit<ScheduleOptions<A>, 'scheduleId' | 'memo' | 'state'> & {
  /** As it goes on; left out, it is neither paused nor limited. */
  state?: Omit<NonNullable<ScheduleOptions['state']>, 'triggerImmediately' | 'backfill'>;
};
/** {@link ScheduleUpdateOptions} with defaults filled in. */
export type CompiledScheduleUpdateOptions = ScheduleUpdateOptions<CompiledScheduleAction>;

/** The run that an action of a schedule started. */
export interface ScheduleExecutionStartWorkflowActionResult {
  type: 'startWorkflow';
  /** Its `workflowId` ends with the time that the action was due; `firstExecutionRunId` is the first run of its chain. */
  workflow: { workflowId: string; firstExecutionRunId: string };
}
/** What an action of a schedule came to. */
export type ScheduleExecutionActionResult = ScheduleExecutionStartWorkflowActionResult;

/** An action that was taken. */
export interface ScheduleExecutionResult {
  /** When it was due, jitter included. */
  scheduledAt: Date;
  /** When it was taken: late by what the overlap policy or an outage held it up. */
  takenAt: Date;
  /** What was started. */
  action: ScheduleExecutionActionResult;
}

/** A schedule in a list: `scheduleId`, `action`, `memo` and `typedSearchAttributes`; some of it may lag behind. */
export interface ScheduleSummary {
  scheduleId: string;
  /** Absent where the server's list leaves it out. */
  spec?: ScheduleSpecDescription;
  action?: ScheduleSummaryAction;
  memo?: Record<string, unknown>;
  /** @deprecated Use `typedSearchAttributes`. */
  searchAttributes?: SearchAttributes;
  typedSearchAttributes?: TypedSearchAttributes;
  /** Whether it is `paused`, and in `note` why. */
  state: { paused: boolean; note?: string };
  /** What it did, and when it acts next: `nextActionTimes`, the first few. */
  info: {
    /** The latest, oldest first. */
    recentActions: ScheduleExecutionResult[];
    nextActionTimes: Date[];
  };
}

/**
 * A schedule with all that is known about it: `scheduleId`, and `spec`, `action`, `policies` (`overlap`, `pauseOnFailure` and the rest), `memo` and
 * `typedSearchAttributes` as they are now.
 */
export interface ScheduleDescription {
  scheduleId: string;
  spec: ScheduleSpecDescription;
  action: ScheduleDescriptionAction;
  policies: {
    overlap: ScheduleOverlapPolicy;
    /** Milliseconds. */
    catchupWindow: number;
    pauseOnFailure: boolean;
  };
  memo?: Record<string, unknown>;
  /** @deprecated Use `typedSearchAttributes`. */
  searchAttributes: SearchAttributes;
  typedSearchAttributes: TypedSearchAttributes;
  /** Whether it is `paused`, in `note` why, and `remainingActions`, absent where there is no limit. */
  state: { paused: boolean; note?: string; remainingActions?: number };
  /** What it did, and when it acts next: `recentActions` are the latest, oldest first, `nextActionTimes` the first few. */
  info: {
    recentActions: ScheduleExecutionResult[];
    nextActionTimes: Date[];
    /** Since it was made. */
    numActionsTaken: number;
    /** Those that were late by more than the catchup window. */
    numActionsMissedCatchupWindow: number;
    /** Those that the overlap policy dropped. */
    numActionsSkippedOverlap: number;
    /** When it was made. */
    createdAt: Date;
    /** Undefined for one that never changed. */
    lastUpdatedAt: Date | undefined;
    /** Workflows of this schedule that run now. */
    runningActions: ScheduleExecutionActionResult[];
  };
  /** The message this was read from. */
  raw: temporal.api.workflowservice.v1.IDescribeScheduleResponse;
}

/** Input of {@link ScheduleClientInterceptor.create}. */
export interface CreateScheduleInput {
  /** Empty at first: what is put in reaches the workflows that the schedule starts. */
  readonly headers: Headers;
  /** As given to the call, with the action's workflow by its name; arguments not yet converted. */
  readonly options: CompiledScheduleOptions;
}

/** Output of {@link ScheduleClientInterceptor.create}: the server's `conflictToken` for the schedule as it was made. */
export type CreateScheduleOutput = { readonly conflictToken: Uint8Array };

/** Implement any of these to intercept a client's calls on schedules. */
export interface ScheduleClientInterceptor {
  /** A schedule is made. */
  create?: (input: CreateScheduleInput, next: Next<this, 'create'>) => Promise<CreateScheduleOutput>;
}
