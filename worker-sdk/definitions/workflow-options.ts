/** Options that starting a workflow takes, from a client or from a parent workflow. */
import type { SearchAttributePair, SearchAttributes, TypedSearchAttributes } from '../payload/search-attributes.js';
import type { Duration } from './duration.js';
import { enumNames } from './enum-names.js';
import type { Priority } from './priority.js';
import type { RetryPolicy } from './retry-policy.js';
import type { PayloadTypeInfo } from './type-info.js';
import type { Workflow } from './workflow.js';

/** Whether a workflow id whose last run is closed may be used again. */
export const WorkflowIdReusePolicy = {
  /** Yes (default). */
  ALLOW_DUPLICATE: 'ALLOW_DUPLICATE',
  /** Only if the last run did not complete successfully. */
  ALLOW_DUPLICATE_FAILED_ONLY: 'ALLOW_DUPLICATE_FAILED_ONLY',
  /** No. */
  REJECT_DUPLICATE: 'REJECT_DUPLICATE',
  /** @deprecated Use `workflowIdConflictPolicy: 'TERMINATE_EXISTING'`. */
  TERMINATE_IF_RUNNING: 'TERMINATE_IF_RUNNING',
} as const;
export type WorkflowIdReusePolicy = (typeof WorkflowIdReusePolicy)[keyof typeof WorkflowIdReusePolicy];
/** Workflow id reuse policy: the API's number for a name, and the name for a number. */
export const [encodeWorkflowIdReusePolicy, decodeWorkflowIdReusePolicy] = enumNames(
  { ALLOW_DUPLICATE: 1, ALLOW_DUPLICATE_FAILED_ONLY: 2, REJECT_DUPLICATE: 3, TERMINATE_IF_RUNNING: 4 },
  'WORKFLOW_ID_REUSE_POLICY_',
);

/** What happens when a workflow of that id is running. */
export const WorkflowIdConflictPolicy = {
  /** The start fails with WorkflowExecutionAlreadyStartedError (default). */
  FAIL: 'FAIL',
  /** The call answers with the run that is there. */
  USE_EXISTING: 'USE_EXISTING',
  /** The run that is there is terminated first. */
  TERMINATE_EXISTING: 'TERMINATE_EXISTING',
} as const;
export type WorkflowIdConflictPolicy = (typeof WorkflowIdConflictPolicy)[keyof typeof WorkflowIdConflictPolicy];
/** Workflow id conflict policy: the API's number for a name, and the name for a number. */
export const [encodeWorkflowIdConflictPolicy, decodeWorkflowIdConflictPolicy] = enumNames(
  { FAIL: 1, USE_EXISTING: 2, TERMINATE_EXISTING: 3 },
  'WORKFLOW_ID_CONFLICT_POLICY_',
);

/** Options of every workflow start but its timeouts. */
export interface BaseWorkflowOptions {
  /** Default `ALLOW_DUPLICATE`. */
  workflowIdReusePolicy?: WorkflowIdReusePolicy;
  /** Default `FAIL`; for signalWithStart `USE_EXISTING`. */
  workflowIdConflictPolicy?: WorkflowIdConflictPolicy;
  /** How the whole workflow is retried when it fails. Default: not at all. */
  retry?: RetryPolicy;
  /** Cron expression; see schedules for something better. */
  cronSchedule?: string;
  /** Values shown with the workflow, not searchable. */
  memo?: Record<string, unknown>;
  /** @deprecated Use {@link typedSearchAttributes}. */
  searchAttributes?: SearchAttributes;
  /** Values by which the workflow is found. */
  typedSearchAttributes?: SearchAttributePair[] | TypedSearchAttributes;
  /** One line of Markdown for people, fixed at the start. */
  staticSummary?: string;
  /** Markdown for people, fixed at the start. */
  staticDetails?: string;
  /** Of its workflow tasks, and the default of its activities and children. Left out, a child has its parent's. */
  priority?: Priority;
}

/** The `args` that a workflow function asks for: required if it has parameters. */
export type WithWorkflowArgs<W extends Workflow, T> = T &
  (Parameters<W> extends [unknown, ...unknown[]]
    ? { /** Arguments of the workflow. */ args: Parameters<W> | Readonly<Parameters<W>> }
    : { /** Arguments of the workflow. */ args?: Parameters<W> | Readonly<Parameters<W>> });

/** Timeouts of a workflow. */
export interface WorkflowDurationOptions {
  /** Longest time of one run. Default: none. */
  workflowRunTimeout?: Duration;
  /** Longest time of the whole chain of retries and continue-as-new. Default: none. */
  workflowExecutionTimeout?: Duration;
  /** Longest time of one workflow task. Default 10 seconds. */
  workflowTaskTimeout?: Duration;
}

/** What workflows started by clients and children have in common. */
export type CommonWorkflowOptions = BaseWorkflowOptions & WorkflowDurationOptions;

/** Name and conversion of a workflow type. */
export interface WorkflowTypeOptions {
  /** Name of the workflow. */
  type: string;
  /** Of the call, or else what is attached to the function. */
  typeInfo?: PayloadTypeInfo;
}

/**
 * Name and type information of a workflow that is given as a name or as its function.
 * @throws TypeError when it is neither, or the function has no name.
 */
export function extractWorkflowTypeAndConfig<T extends Workflow>(
  workflow: string | T,
  callSiteTypeInfo?: PayloadTypeInfo,
): WorkflowTypeOptions {
  if (typeof workflow === 'string') return { type: workflow, typeInfo: callSiteTypeInfo };
  if (typeof workflow !== 'function') throw new TypeError(`Invalid workflow: expected a function or its name, got ${typeof workflow}`);
  if (!workflow.name) throw new TypeError('Invalid workflow: the function has no name; name it or pass the name as a string');
  const staticOptions = (workflow as { staticOptions?: { typeInfo?: PayloadTypeInfo } }).staticOptions;
  return { type: workflow.name, typeInfo: callSiteTypeInfo ?? staticOptions?.typeInfo };
}

/** Name of a workflow that is given as a name or as its function. */
export function extractWorkflowType<T extends Workflow>(workflow: string | T): string {
  return extractWorkflowTypeAndConfig(workflow).type;
}
