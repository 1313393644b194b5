/** What the server says about runs, in the shapes that a client hands out. */
import proto from '@temporalio/proto';
import { toNumber } from '../definitions/api.js';
import { optionalTsToDate } from '../definitions/duration.js';
import { decodePriority } from '../definitions/priority.js';
import { decodeMapFromPayloads, decodeOptionalPayload } from '../payload/conversion.js';
import type { SearchAttributeValue } from '../payload/search-attributes.js';
import { decodeSearchAttributes, decodeTypedSearchAttributes } from '../payload/search-attribute-payloads.js';
import type { RpcContext } from './rpc-context.js';
import { workflowContext } from './rpc-context.js';
import type {
  CountWorkflowExecution,
  DescribeWorkflowExecutionResponse,
  RawWorkflowExecutionInfo,
  WorkflowExecutionDescription,
  WorkflowExecutionInfo,
  WorkflowExecutionStatusName,
} from './types.js';

const STATUS_NAMES = Object.fromEntries(
  Object.entries(proto.temporal.api.enums.v1.WorkflowExecutionStatus).map(([name, code]) => {
    const word = name.replace('WORKFLOW_EXECUTION_STATUS_', '');
    return [code, word === 'CANCELED' ? 'CANCELLED' : word];
  }),
) as Record<number, WorkflowExecutionStatusName>;

/** A run of a list. */
export async function executionInfo(ctx: RpcContext, raw: RawWorkflowExecutionInfo): Promise<WorkflowExecutionInfo> {
  const { execution, parentExecution, rootExecution } = raw;
  const workflowId = execution?.workflowId ?? '';
  const status = raw.status ?? 0;
  const identify = (run: typeof parentExecution) => (run ? { workflowId: run.workflowId ?? '', runId: run.runId ?? '' } : undefined);
  return {
    type: raw.type?.name ?? '',
    workflowId,
    runId: execution?.runId ?? '',
    taskQueue: raw.taskQueue ?? '',
    status: { code: status, name: STATUS_NAMES[status] ?? 'UNKNOWN' },
    historyLength: toNumber(raw.historyLength),
    historySize: toNumber(raw.historySizeBytes) || undefined,
    startTime: optionalTsToDate(raw.startTime) ?? new Date(0),
    executionTime: optionalTsToDate(raw.executionTime),
    closeTime: optionalTsToDate(raw.closeTime),
    memo: await decodeMapFromPayloads(ctx.converter, raw.memo?.fields, workflowContext(ctx, workflowId)),
    searchAttributes: decodeSearchAttributes(raw.searchAttributes?.indexedFields),
    typedSearchAttributes: decodeTypedSearchAttributes(raw.searchAttributes?.indexedFields),
    parentExecution: identify(parentExecution),
    rootExecution: identify(rootExecution),
    raw,
    priority: decodePriority(raw.priority),
  };
}

/** A run with its details. */
export async function executionDescription(ctx: RpcContext, raw: DescribeWorkflowExecutionResponse): Promise<WorkflowExecutionDescription> {
  const info = await executionInfo(ctx, raw.workflowExecutionInfo ?? {});
  const metadata = raw.executionConfig?.userMetadata;
  const context = workflowContext(ctx, info.workflowId);
  return {
    ...info,
    raw,
    staticDetails: async () => (await decodeOptionalPayload(ctx.converter, metadata?.details, context)) as string | undefined,
    staticSummary: async () => (await decodeOptionalPayload(ctx.converter, metadata?.summary, context)) as string | undefined,
  };
}

/** Counts, each group with the values it stands for. */
export function executionCount(raw: proto.temporal.api.workflowservice.v1.ICountWorkflowExecutionsResponse): CountWorkflowExecution {
  return {
    count: toNumber(raw.count),
    groups: (raw.groups ?? []).map((group) => ({
      count: toNumber(group.count),
      groupValues: (group.groupValues ?? []).map((payload) => decodeSearchAttributes({ value: payload }).value as SearchAttributeValue),
    })),
  };
}
