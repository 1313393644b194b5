/** Schedules: when something happens, what happens, and what is known about it. */
import type { temporal } from '../definitions/api.js';
import type { Duration } from '../definitions/duration.js';
import { enumNames } from '../definitions/enum-names.js';
import type { Headers, Next } from '../definitions/interceptors.js';
import type { Workflow } from '../definitions/workflow.js';
import type { SearchAttributePair, SearchAttributes, TypedSearchAttributes } from '../payload/search-attributes.js';
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

/** Names of the months, as the API counts them. */
export const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;
/** Name of a month. */
export type Month = (typeof MONTHS)[number];

/** Names of the days, as the API counts them: Sunday is 0. */
export const DAYS_OF_WEEK = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;
/** Name of a day of the week. */
export type DayOfWeek = (typeof DAYS_OF_WEEK)[number];

/** From `start` to `end`, both included, every `step`. */
export interface Range<Unit> {
  start: Unit;
  end: Unit;
  step: number;
}

/** A range, part of one, or a single value. */
export type LooseRange<Unit> = Range<Unit> | { start: Unit; end?: Unit; step?: never } | Unit;
type Field<Unit> = LooseRange<Unit> | LooseRange<Unit>[] | '*';

/** Times by their place in the calendar: those at which all fields match. */
export interface CalendarSpec {
  /** Default 0. */
  second?: Field<number>;
  /** Default 0. */
  minute?: Field<number>;
  /** Default 0. */
  hour?: Field<number>;
  /** Default `*`. */
  dayOfMonth?: Field<number>;
  /** Default `*`. */
  month?: Field<Month>;
  /** Default `*`. */
  year?: Field<number>;
  /** Default `*`. */
  dayOfWeek?: Field<DayOfWeek>;
  /** For people. */
  comment?: string;
}

/** A {@link CalendarSpec} with all fields as lists of ranges. */
export interface CalendarSpecDescription {
  second: Range<number>[];
  minute: Range<number>[];
  hour: Range<number>[];
  dayOfMonth: Range<number>[];
  month: Range<Month>[];
  year: Range<number>[];
  dayOfWeek: Range<DayOfWeek>[];
  comment?: string;
}

/** Times at `epoch + n * every + offset`. */
export interface IntervalSpec {
  every: Duration;
  /** Default 0. */
  offset?: Duration;
}

/** An {@link IntervalSpec} in milliseconds. */
export interface IntervalSpecDescription {
  every: number;
  offset: number;
}

/** Times at which actions are due: those of calendars, intervals and cron expressions together, without those of `skip`. */
export interface ScheduleSpec {
  calendars?: CalendarSpec[];
  intervals?: IntervalSpec[];
  /** Five to seven fields, or `@hourly`, `@every 5m` and the like. */
  cronExpressions?: string[];
  skip?: CalendarSpec[];
  /** Times before this are skipped. */
  startAt?: Date;
  /** Times after this are skipped. */
  endAt?: Date;
  /** Each time is later by a random part of this. */
  jitter?: Duration;
  /** IANA name, for example `Europe/Berlin`. Default UTC. */
  timezone?: string;
}

/** A {@link ScheduleSpec} as the server keeps it: cron expressions have become calendars. */
export type ScheduleSpecDescription = Omit<ScheduleSpec, 'calendars' | 'intervals' | 'cronExpressions' | 'skip' | 'jitter'> & {
  calendars?: CalendarSpecDescription[];
  intervals?: IntervalSpecDescription[];
  skip?: CalendarSpecDescription[];
  /** Milliseconds. */
  jitter?: number;
};

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

/** Starts a workflow. */
export type ScheduleOptionsStartWorkflowAction<W extends Workflow> = {
  type: 'startWorkflow';
  workflowType: string | W;
  /** The time is appended to it for each start. Default `<scheduleId>-workflow`. */
  workflowId?: string;
} & StartOptions<W>;
/** What a schedule does, as a client says it. */
export type ScheduleOptionsAction = ScheduleOptionsStartWorkflowAction<Workflow>;

/** The workflow that a described schedule starts. */
export type ScheduleDescriptionStartWorkflowAction = {
  type: 'startWorkflow';
  workflowType: string;
  workflowId: string;
} & StartOptions<Workflow>;
/** What a described schedule does. */
export type ScheduleDescriptionAction = ScheduleDescriptionStartWorkflowAction;
/** What a schedule does, with defaults filled in. */
export type CompiledScheduleAction = ScheduleDescriptionAction & { args: unknown[] };

/** The workflow that a listed schedule starts. */
export interface ScheduleSummaryStartWorkflowAction {
  type: 'startWorkflow';
  workflowType: string;
}
/** What a listed schedule does. */
export type ScheduleSummaryAction = ScheduleSummaryStartWorkflowAction;

/** Takes actions for times gone by, all at once. */
export interface Backfill {
  start: Date;
  end: Date;
  overlap?: ScheduleOverlapPolicy;
}

/** A schedule to be made. */
export interface ScheduleOptions<A = ScheduleOptionsAction> {
  scheduleId: string;
  spec: ScheduleSpec;
  action: A;
  policies?: {
    /** Default `SKIP`. */
    overlap?: ScheduleOverlapPolicy;
    /** After an outage, actions are made up for that are late by this at most. Default one year. */
    catchupWindow?: Duration;
    /** Whether the schedule pauses when a workflow fails or times out. Default false. */
    pauseOnFailure?: boolean;
  };
  memo?: Record<string, unknown>;
  /** @deprecated Use `typedSearchAttributes`. */
  searchAttributes?: SearchAttributes;
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes;
  state?: {
    paused?: boolean;
    /** For people, for example why it is paused. */
    note?: string;
    /** Actions left; without it, no limit. */
    remainingActions?: number;
    /** Take one action at once. */
    triggerImmediately?: boolean;
    backfill?: Backfill[];
  };
}

/** {@link ScheduleOptions} with defaults filled in. */
export type CompiledScheduleOptions = ScheduleOptions<CompiledScheduleAction>;

/** What {@link ScheduleHandle.update} changes a schedule to. */
export type ScheduleUpdateOptions<A = ScheduleOptionsAction> = Omit<ScheduleOptions<A>, 'scheduleId' | 'memo' | 'state'> & {
  state?: Omit<NonNullable<ScheduleOptions['state']>, 'triggerImmediately' | 'backfill'>;
};
/** {@link ScheduleUpdateOptions} with defaults filled in. */
export type CompiledScheduleUpdateOptions = ScheduleUpdateOptions<CompiledScheduleAction>;

/** The run that an action of a schedule started. */
export interface ScheduleExecutionStartWorkflowActionResult {
  type: 'startWorkflow';
  workflow: { workflowId: string /** First run of the chain. */; firstExecutionRunId: string };
}
/** What an action of a schedule came to. */
export type ScheduleExecutionActionResult = ScheduleExecutionStartWorkflowActionResult;

/** An action that was taken. */
export interface ScheduleExecutionResult {
  /** When it was due, jitter included. */
  scheduledAt: Date;
  takenAt: Date;
  action: ScheduleExecutionActionResult;
}

/** A schedule in a list; some of it may lag behind. */
export interface ScheduleSummary {
  scheduleId: string;
  spec?: ScheduleSpecDescription;
  action?: ScheduleSummaryAction;
  memo?: Record<string, unknown>;
  /** @deprecated Use `typedSearchAttributes`. */
  searchAttributes?: SearchAttributes;
  typedSearchAttributes?: TypedSearchAttributes;
  state: { paused: boolean; note?: string };
  info: {
    /** The latest, oldest first. */
    recentActions: ScheduleExecutionResult[];
    nextActionTimes: Date[];
  };
}

/** A schedule with all that is known about it. */
export interface ScheduleDescription {
  scheduleId: string;
  spec: ScheduleSpecDescription;
  action: ScheduleDescriptionAction;
  policies: { overlap: ScheduleOverlapPolicy /** Milliseconds. */; catchupWindow: number; pauseOnFailure: boolean };
  memo?: Record<string, unknown>;
  /** @deprecated Use `typedSearchAttributes`. */
  searchAttributes: SearchAttributes;
  typedSearchAttributes: TypedSearchAttributes;
  state: { paused: boolean; note?: string; remainingActions?: number };
  info: {
    recentActions: ScheduleExecutionResult[];
    nextActionTimes: Date[];
    numActionsTaken: number;
    numActionsMissedCatchupWindow: number;
    numActionsSkippedOverlap: number;
    createdAt: Date;
    lastUpdatedAt: Date | undefined;
    /** Workflows of this schedule that run now. */
    runningActions: ScheduleExecutionActionResult[];
  };
  /** The message this was read from. */
  raw: temporal.api.workflowservice.v1.IDescribeScheduleResponse;
}

/** Input of {@link ScheduleClientInterceptor.create}. */
export interface CreateScheduleInput {
  readonly headers: Headers;
  readonly options: CompiledScheduleOptions;
}

/** Output of {@link ScheduleClientInterceptor.create}. */
export type CreateScheduleOutput = { readonly conflictToken: Uint8Array };

/** Implement any of these to intercept a client's calls on schedules. */
export interface ScheduleClientInterceptor {
  create?: (input: CreateScheduleInput, next: Next<this, 'create'>) => Promise<CreateScheduleOutput>;
}
