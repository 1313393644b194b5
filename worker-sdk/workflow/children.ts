// biome-ignore-all lint/suspicious/noExplicitAny: workflow functions of every signature.
/** Child workflows. */
import { msOptionalToTs } from '../definitions/duration.js';
import { compilePriority } from '../definitions/priority.js';
import { compileRetryPolicy } from '../definitions/retry-policy.js';
import type { SignalTypeInfo } from '../definitions/type-info.js';
import type {
  BaseWorkflowHandle,
  SignalDefinition,
  Workflow,
  WorkflowResultType,
  WorkflowReturnType,
  WorkflowSignalOptions,
} from '../definitions/workflow.js';
import { encodeWorkflowIdReusePolicy, extractWorkflowTypeAndConfig, type WithWorkflowArgs } from '../definitions/workflow-options.js';
import { mapToPayloads, toPayloadsWithContext } from '../payload/payload-converter.js';
import { encodeUnifiedSearchAttributes } from '../payload/search-attribute-payloads.js';
import { currentRun } from './current-run.js';
import { eventGroupMarkers } from './event-groups.js';
import { sendSignal } from './external-workflows.js';
import type { StartChildWorkflowExecutionInput } from './interceptors.js';
import {
  type ChildWorkflowOptions,
  type ChildWorkflowOptionsWithDefaults,
  encodeChildWorkflowCancellationType,
  encodeParentClosePolicy,
  encodeVersioningIntent,
} from './interfaces.js';
import { uuid4 } from './info.js';
import { tieToScope } from './scope-link.js';
import { userMetadata } from './user-metadata.js';

/** A child workflow that has started. */
export interface ChildWorkflowHandle<T extends Workflow> extends BaseWorkflowHandle<T> {
  /** The child's first run. */
  readonly firstExecutionRunId: string;
}

type DefinitionOptions = Omit<ChildWorkflowOptions, 'typeInfo'> & { typeInfo?: never };

/**
 * Starts a child workflow and returns once it has started.
 *
 * @example
 * ```ts
 * const child = await startChild(shipOrder, { args: [order], workflowId: `ship-${order.id}` });
 * await child.signal(hurry);
 * const receipt = await child.result();
 * ```
 */
export function startChild<T extends Workflow>(
  workflowType: string,
  options: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<ChildWorkflowHandle<T>>;
export function startChild<T extends Workflow>(
  workflowFunc: T,
  options: WithWorkflowArgs<T, DefinitionOptions>,
): Promise<ChildWorkflowHandle<T>>;
export function startChild<T extends () => Promise<unknown>>(workflowType: string): Promise<ChildWorkflowHandle<T>>;
export function startChild<T extends () => Promise<unknown>>(workflowFunc: T): Promise<ChildWorkflowHandle<T>>;
export async function startChild<T extends Workflow>(
  workflowTypeOrFunc: string | T,
  options?: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<ChildWorkflowHandle<T>> {
  const run = currentRun('startChild()');
  const input = childInput(workflowTypeOrFunc, options);
  const [started, completed] = await run.intercept(run.outbound, 'startChildWorkflowExecution', startChildExecution)(input);
  const firstExecutionRunId = await started;
  const { workflowId } = input.options;
  const signal = (signalName: string, args: unknown[], typeInfo?: SignalTypeInfo) =>
    sendSignal({ type: 'child', childWorkflowId: workflowId }, signalName, args, typeInfo);
  return {
    workflowId,
    firstExecutionRunId,
    async result(): Promise<WorkflowResultType<T>> {
      return (await completed) as WorkflowResultType<T>;
    },
    async signal<Args extends unknown[]>(def: SignalDefinition<Args> | string, ...args: Args): Promise<void> {
      return typeof def === 'string' ? signal(def, args) : signal(def.name, args, def.typeInfo);
    },
    async signalWithOptions<Args extends unknown[]>(signalName: string, signalOptions: WorkflowSignalOptions<Args>): Promise<void> {
      return signal(signalName, signalOptions.args ?? [], signalOptions.typeInfo);
    },
  };
}

/** Starts a child workflow and returns its result. */
export function executeChild<T extends Workflow>(
  workflowType: string,
  options: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<WorkflowResultType<T>>;
export function executeChild<T extends Workflow>(
  workflowFunc: T,
  options: WithWorkflowArgs<T, DefinitionOptions>,
): Promise<WorkflowResultType<T>>;
export function executeChild<T extends () => WorkflowReturnType>(workflowType: string): Promise<WorkflowResultType<T>>;
export function executeChild<T extends () => WorkflowReturnType>(workflowFunc: T): Promise<WorkflowResultType<T>>;
export async function executeChild<T extends Workflow>(
  workflowTypeOrFunc: string | T,
  options?: WithWorkflowArgs<T, ChildWorkflowOptions>,
): Promise<WorkflowResultType<T>> {
  const run = currentRun('executeChild()');
  const start = run.intercept(run.outbound, 'startChildWorkflowExecution', startChildExecution);
  return start(childInput(workflowTypeOrFunc, options)).then(([, completed]) => completed) as Promise<WorkflowResultType<T>>;
}

function childInput<T extends Workflow>(workflowTypeOrFunc: string | T, given: object | undefined): StartChildWorkflowExecutionInput {
  const run = currentRun('startChild()');
  const { args, workflowId, ...rest } = (given ?? {}) as ChildWorkflowOptions & { args?: readonly unknown[] };
  const options: ChildWorkflowOptionsWithDefaults = {
    workflowId: workflowId ?? uuid4(),
    args: [...(args ?? [])],
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    ...rest,
  };
  const { type, typeInfo } = extractWorkflowTypeAndConfig(workflowTypeOrFunc, options.typeInfo);
  return { seq: run.next.child++, options: { ...options, typeInfo }, headers: {}, workflowType: type };
}

function startChildExecution({
  options,
  headers,
  workflowType,
  seq,
}: StartChildWorkflowExecutionInput): Promise<[Promise<string>, Promise<unknown>]> {
  const run = currentRun('startChild()');
  const { workflowId } = options;
  const context = run.contextOf(workflowId);
  const markers = () => eventGroupMarkers(options.eventGroups);
  const started = new Promise<string>((resolve, reject) => {
    const cancelled = tieToScope(reject, () => {
      if (run.childResults.has(seq)) run.push({ cancelChildWorkflowExecution: { childWorkflowSeq: seq }, eventGroupMarkers: markers() });
    });
    if (cancelled) return;
    run.push({
      startChildWorkflowExecution: {
        seq,
        workflowId,
        workflowType,
        input: toPayloadsWithContext(run.payloadConverter, context, options.args, options.typeInfo?.inputTypes),
        retryPolicy: options.retry ? compileRetryPolicy(options.retry) : undefined,
        taskQueue: options.taskQueue || run.facts.taskQueue,
        workflowExecutionTimeout: msOptionalToTs(options.workflowExecutionTimeout),
        workflowRunTimeout: msOptionalToTs(options.workflowRunTimeout),
        workflowTaskTimeout: msOptionalToTs(options.workflowTaskTimeout),
        namespace: run.facts.namespace,
        headers,
        cancellationType: encodeChildWorkflowCancellationType(options.cancellationType),
        workflowIdReusePolicy: encodeWorkflowIdReusePolicy(options.workflowIdReusePolicy),
        parentClosePolicy: encodeParentClosePolicy(options.parentClosePolicy),
        cronSchedule: options.cronSchedule,
        searchAttributes: searchAttributesOf(options),
        memo: options.memo && mapToPayloads(run.payloadConverter, options.memo, context),
        versioningIntent: encodeVersioningIntent(options.versioningIntent),
        priority: options.priority ? compilePriority(options.priority) : undefined,
      },
      userMetadata: userMetadata(run.payloadConverter, context, options.staticSummary, options.staticDetails),
      eventGroupMarkers: markers(),
    });
    run.childStarts.set(seq, { resolve: resolve as (value: unknown) => void, reject, context, waitsAt: new Error() });
  });
  // The result may be asked for later, or never: it is made now, and nobody need catch its failure.
  const completed = new Promise<unknown>((resolve, reject) => {
    started.catch(reject);
    run.childResults.set(seq, { resolve, reject, context, outputTypeInfo: options.typeInfo?.outputType, waitsAt: new Error() });
  });
  completed.catch(() => undefined);
  return new Promise((resolve) => resolve([started, completed]));
}

/** Search attributes, untyped and typed, as the API has them. */
export function searchAttributesOf(
  options: Pick<ChildWorkflowOptions, 'searchAttributes' | 'typedSearchAttributes'>,
): { indexedFields: ReturnType<typeof encodeUnifiedSearchAttributes> } | undefined {
  if (!options.searchAttributes && !options.typedSearchAttributes) return undefined;
  return { indexedFields: encodeUnifiedSearchAttributes(options.searchAttributes, options.typedSearchAttributes) };
}
