/** Schedules between options and messages: actions, policies, state, and what the server reports. */
import type { temporal } from '../definitions/api.js';
import { int64, toNumber } from '../definitions/api.js';
import { msOptionalToTs, optionalDateToTs, optionalTsToDate, optionalTsToMs, tsToMs } from '../definitions/duration.js';
import type { Headers } from '../definitions/interceptors.js';
import { compilePriority, decodePriority } from '../definitions/priority.js';
import { compileRetryPolicy, decompileRetryPolicy } from '../definitions/retry-policy.js';
import { extractWorkflowType } from '../definitions/workflow-options.js';
import {
  decodeArrayFromPayloads,
  decodeMapFromPayloads,
  decodeOptionalPayload,
  encodeMapToPayloads,
  encodeToPayloads,
  encodeUserMetadata,
} from '../payload/conversion.js';
import {
  decodeSearchAttributes,
  decodeTypedSearchAttributes,
  encodeUnifiedSearchAttributes,
} from '../payload/search-attribute-payloads.js';
import type { RpcContext } from './rpc-context.js';
import { workflowContext } from './rpc-context.js';
import { decodeScheduleSpec, encodeScheduleSpec } from './schedule-spec.js';
import type {
  Backfill,
  CompiledScheduleAction,
  CompiledScheduleUpdateOptions,
  ScheduleDescription,
  ScheduleDescriptionAction,
  ScheduleExecutionActionResult,
  ScheduleExecutionResult,
  ScheduleOptionsAction,
  ScheduleSummary,
} from './schedule-types.js';
import { decodeScheduleOverlapPolicy, encodeScheduleOverlapPolicy } from './schedule-types.js';

type ProtoSchedule = temporal.api.schedule.v1.ISchedule;
type ProtoAction = temporal.api.schedule.v1.IScheduleAction;
type ProtoListEntry = temporal.api.schedule.v1.IScheduleListEntry;
type ProtoActionResult = temporal.api.schedule.v1.IScheduleActionResult;
type ProtoExecution = temporal.api.common.v1.IWorkflowExecution;
type DescribeResponse = temporal.api.workflowservice.v1.IDescribeScheduleResponse;
type Attributes = Pick<CompiledScheduleUpdateOptions, 'searchAttributes' | 'typedSearchAttributes'>;

/** Fills in the workflow id and the name of the workflow type. */
export function compileAction(scheduleId: string, action: ScheduleOptionsAction): CompiledScheduleAction {
  return {
    ...action,
    workflowId: action.workflowId ?? `${scheduleId}-workflow`,
    workflowType: extractWorkflowType(action.workflowType),
    args: [...(action.args ?? [])],
  };
}

/** Search attributes -> message; undefined when there are none. */
export function encodeAttributes({ searchAttributes, typedSearchAttributes }: Attributes) {
  if (!searchAttributes && !typedSearchAttributes) return undefined;
  return { indexedFields: encodeUnifiedSearchAttributes(searchAttributes, typedSearchAttributes) };
}

/** Schedule -> message. */
export async function encodeSchedule(ctx: RpcContext, options: CompiledScheduleUpdateOptions, headers: Headers): Promise<ProtoSchedule> {
  const { spec, action, policies, state } = options;
  return {
    spec: encodeScheduleSpec(spec),
    action: await encodeAction(ctx, action, headers),
    policies: {
      overlapPolicy: encodeScheduleOverlapPolicy(policies?.overlap),
      catchupWindow: msOptionalToTs(policies?.catchupWindow),
      pauseOnFailure: policies?.pauseOnFailure,
    },
    state: {
      paused: state?.paused,
      notes: state?.note,
      limitedActions: state?.remainingActions !== undefined,
      remainingActions: state?.remainingActions === undefined ? undefined : int64(state.remainingActions),
    },
  };
}

async function encodeAction(ctx: RpcContext, action: CompiledScheduleAction, headers: Headers): Promise<ProtoAction> {
  const context = workflowContext(ctx, action.workflowId);
  return {
    startWorkflow: {
      workflowId: action.workflowId,
      workflowType: { name: action.workflowType },
      input: { payloads: await encodeToPayloads(ctx.converter, action.args, context) },
      taskQueue: { kind: 1, name: action.taskQueue },
      workflowExecutionTimeout: msOptionalToTs(action.workflowExecutionTimeout),
      workflowRunTimeout: msOptionalToTs(action.workflowRunTimeout),
      workflowTaskTimeout: msOptionalToTs(action.workflowTaskTimeout),
      retryPolicy: action.retry ? compileRetryPolicy(action.retry) : undefined,
      memo: action.memo ? { fields: await encodeMapToPayloads(ctx.converter, action.memo, context) } : undefined,
      searchAttributes: encodeAttributes(action),
      header: { fields: headers },
      userMetadata: await encodeUserMetadata(ctx.converter, action.staticSummary, action.staticDetails, context),
      priority: action.priority ? compilePriority(action.priority) : undefined,
    },
  };
}

/** Backfills -> messages. */
export function encodeBackfills(backfills: Backfill[]): temporal.api.schedule.v1.IBackfillRequest[] {
  return backfills.map(({ start, end, overlap }) => ({
    startTime: optionalDateToTs(start),
    endTime: optionalDateToTs(end),
    overlapPolicy: encodeScheduleOverlapPolicy(overlap),
  }));
}

async function decodeAction(ctx: RpcContext, action: ProtoAction | null | undefined): Promise<ScheduleDescriptionAction> {
  const start = action?.startWorkflow ?? {};
  const workflowId = start.workflowId ?? '';
  const context = workflowContext(ctx, workflowId);
  const { summary, details } = start.userMetadata ?? {};
  return {
    type: 'startWorkflow',
    workflowId,
    workflowType: start.workflowType?.name ?? '',
    taskQueue: start.taskQueue?.name ?? '',
    args: await decodeArrayFromPayloads(ctx.converter, start.input?.payloads, context),
    memo: await decodeMapFromPayloads(ctx.converter, start.memo?.fields, context),
    retry: decompileRetryPolicy(start.retryPolicy),
    searchAttributes: decodeSearchAttributes(start.searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(start.searchAttributes?.indexedFields),
    workflowExecutionTimeout: optionalTsToMs(start.workflowExecutionTimeout),
    workflowRunTimeout: optionalTsToMs(start.workflowRunTimeout),
    workflowTaskTimeout: optionalTsToMs(start.workflowTaskTimeout),
    staticSummary: (await decodeOptionalPayload(ctx.converter, summary, context)) as string | undefined,
    staticDetails: (await decodeOptionalPayload(ctx.converter, details, context)) as string | undefined,
    priority: decodePriority(start.priority),
  };
}

function decodeStarted(execution: ProtoExecution | null | undefined): ScheduleExecutionActionResult {
  const { workflowId, runId } = execution ?? {};
  return { type: 'startWorkflow', workflow: { workflowId: workflowId ?? '', firstExecutionRunId: runId ?? '' } };
}

function decodeRecent(results: ProtoActionResult[] | null | undefined): ScheduleExecutionResult[] {
  return (results ?? []).map((result) => ({
    scheduledAt: optionalTsToDate(result.scheduleTime) ?? new Date(0),
    takenAt: optionalTsToDate(result.actualTime) ?? new Date(0),
    action: decodeStarted(result.startWorkflowResult),
  }));
}

const decodeTimes = (times: Parameters<typeof optionalTsToDate>[0][] | null | undefined) =>
  (times ?? []).flatMap((time) => optionalTsToDate(time) ?? []);

/** Message -> description. */
export async function decodeDescription(ctx: RpcContext, scheduleId: string, raw: DescribeResponse): Promise<ScheduleDescription> {
  const { schedule, info, searchAttributes } = raw;
  const { policies, state } = schedule ?? {};
  return {
    scheduleId,
    spec: decodeScheduleSpec(schedule?.spec),
    action: await decodeAction(ctx, schedule?.action),
    memo: await decodeMapFromPayloads(ctx.converter, raw.memo?.fields),
    searchAttributes: decodeSearchAttributes(searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(searchAttributes?.indexedFields),
    policies: {
      overlap: decodeScheduleOverlapPolicy(policies?.overlapPolicy) ?? 'SKIP',
      catchupWindow: tsToMs(policies?.catchupWindow),
      pauseOnFailure: Boolean(policies?.pauseOnFailure),
    },
    state: {
      paused: Boolean(state?.paused),
      note: state?.notes || undefined,
      remainingActions: state?.limitedActions ? toNumber(state.remainingActions) : undefined,
    },
    info: {
      recentActions: decodeRecent(info?.recentActions),
      nextActionTimes: decodeTimes(info?.futureActionTimes),
      numActionsTaken: toNumber(info?.actionCount),
      numActionsMissedCatchupWindow: toNumber(info?.missedCatchupWindow),
      numActionsSkippedOverlap: toNumber(info?.overlapSkipped),
      createdAt: optionalTsToDate(info?.createTime) ?? new Date(0),
      lastUpdatedAt: optionalTsToDate(info?.updateTime),
      runningActions: (info?.runningWorkflows ?? []).map(decodeStarted),
    },
    raw,
  };
}

/** Message -> summary. */
export async function decodeSummary(ctx: RpcContext, raw: ProtoListEntry): Promise<ScheduleSummary> {
  const { info, searchAttributes } = raw;
  return {
    scheduleId: raw.scheduleId ?? '',
    spec: info?.spec ? decodeScheduleSpec(info.spec) : undefined,
    action: info?.workflowType?.name ? { type: 'startWorkflow', workflowType: info.workflowType.name } : undefined,
    memo: await decodeMapFromPayloads(ctx.converter, raw.memo?.fields),
    searchAttributes: decodeSearchAttributes(searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(searchAttributes?.indexedFields),
    state: { paused: Boolean(info?.paused), note: info?.notes || undefined },
    info: { recentActions: decodeRecent(info?.recentActions), nextActionTimes: decodeTimes(info?.futureActionTimes) },
  };
}
