// biome-ignore-all lint/suspicious/noExplicitAny: workflow functions of every signature.
/** Options that belong to a workflow function, wherever it is started. */
import type { PayloadTypeInfo } from '../definitions/type-info.js';
import type { VersioningBehavior } from '../definitions/versioning.js';
import type { ErrorClass } from './run-context.js';

/** Options that hold for each run of a workflow. */
export interface WorkflowDefinitionOptions {
  /** Whether runs stay on the version of the worker they started on. */
  versioningBehavior?: VersioningBehavior;
  /** Errors of these classes fail the run instead of the workflow task; `Error` means all. */
  failureExceptionTypes?: ErrorClass[];
}
/** The options, or a function that returns them just before the workflow starts. */
export type WorkflowDefinitionOptionsOrGetter = WorkflowDefinitionOptions | (() => WorkflowDefinitionOptions);

/** Options and static metadata of a workflow function. */
export interface WorkflowDefinitionConfig {
  /** Options that may be computed for each run. */
  workflowDefinitionOptions?: WorkflowDefinitionOptionsOrGetter;
  /** Known before the arguments are decoded: `typeInfo` says how they, and the result, are converted. */
  staticOptions?: { typeInfo?: PayloadTypeInfo };
}

type Annotated = { workflowDefinitionOptions?: WorkflowDefinitionOptionsOrGetter; staticOptions?: { typeInfo?: PayloadTypeInfo } };

/** Gives a workflow function options. */
export function setWorkflowOptions<A extends unknown[], RT>(options: WorkflowDefinitionOptionsOrGetter, fn: (...args: A) => Promise<RT>): void {
  (fn as Annotated).workflowDefinitionOptions = options;
}

/** Gives a workflow function options and static metadata such as type information. */
export function defineWorkflowOptions<A extends unknown[], RT>(fn: (...args: A) => Promise<RT>, config: WorkflowDefinitionConfig): void {
  Object.assign(fn, config);
}

/** What {@link setWorkflowOptions} and {@link defineWorkflowOptions} attached to a function. */
export function optionsOf(fn: (...args: any[]) => unknown): Annotated {
  return fn as Annotated;
}
