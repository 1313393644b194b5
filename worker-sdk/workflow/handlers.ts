// biome-ignore-all lint/suspicious/noExplicitAny: definitions carry their arguments as tuples of any kind.
/** Signals, queries and updates: naming them and handling them. */
import type {
  QueryDefinition,
  QueryDefinitionOptions,
  SignalDefinition,
  SignalDefinitionOptions,
  UpdateDefinition,
  UpdateDefinitionOptions,
  WorkflowQueryType,
  WorkflowSignalType,
  WorkflowUpdateType,
} from '../definitions/workflow.js';
import { currentRun } from './current-run.js';
import { dispatchBufferedSignals } from './incoming-signals.js';
import { dispatchBufferedUpdates } from './incoming-updates.js';
import type { EnhancedStackTrace } from './enhanced-stack-trace.js';
import type {
  DefaultQueryHandler,
  DefaultSignalHandler,
  DefaultUpdateHandler,
  Handler,
  QueryHandlerOptions,
  SignalHandlerOptions,
  UpdateArguments,
  UpdateHandlerOptions,
} from './interfaces.js';
import { ENHANCED_STACK_TRACE_QUERY, METADATA_QUERY, STACK_TRACE_QUERY, throwIfReservedName } from './reserved.js';
import type { RunContext } from './run-context.js';

/** Names an update and its types; for {@link setHandler} and for clients. */
export function defineUpdate<Ret, Args extends unknown[] = [], Name extends string = string>(
  name: Name,
  options: UpdateDefinitionOptions = {},
): UpdateDefinition<Ret, Args, Name> {
  return { type: 'update', name, ...options } as UpdateDefinition<Ret, Args, Name>;
}

/** Names a signal and its types; for {@link setHandler} and for clients. */
export function defineSignal<Args extends unknown[] = [], Name extends string = string>(
  name: Name,
  options: SignalDefinitionOptions = {},
): SignalDefinition<Args, Name> {
  return { type: 'signal', name, ...options } as SignalDefinition<Args, Name>;
}

/** Names a query and its types; for {@link setHandler} and for clients. */
export function defineQuery<Ret, Args extends unknown[] = [], Name extends string = string>(
  name: Name,
  options: QueryDefinitionOptions = {},
): QueryDefinition<Ret, Args, Name> {
  return { type: 'query', name, ...options } as QueryDefinition<Ret, Args, Name>;
}

function requireHandler(handler: unknown): void {
  if (typeof handler === 'function' || handler === undefined || handler === null) return;
  throw new TypeError(`Expected handler to be either a function or 'undefined'. Got: '${typeof handler}'`);
}

type AnyDefinition = UpdateDefinition<unknown, any[]> | SignalDefinition<any[]> | QueryDefinition<unknown, any[]>;

/**
 * Sets the function that handles a signal, query or update; `undefined` takes it away. Signals that came before are handled at once.
 *
 * @example
 * ```ts
 * const add = defineUpdate<number, [number]>('add');
 * setHandler(add, (n) => (total += n), { validator: (n) => { if (n < 0) throw new Error('negative'); } });
 * ```
 */
export function setHandler<Ret, Args extends unknown[], T extends QueryDefinition<Ret, Args>>(
  def: T,
  handler: Handler<Ret, Args, T> | undefined,
  options?: QueryHandlerOptions,
): void;
export function setHandler<Ret, Args extends unknown[], T extends SignalDefinition<Args>>(
  def: T,
  handler: Handler<Ret, Args, T> | undefined,
  options?: SignalHandlerOptions,
): void;
export function setHandler<Ret, Args extends unknown[], T extends UpdateDefinition<Ret, Args>>(
  def: T,
  handler: Handler<Ret, Args, T> | undefined,
  options?: UpdateHandlerOptions<UpdateArguments<T>>,
): void;
export function setHandler(
  def: AnyDefinition,
  handler: unknown,
  options?: QueryHandlerOptions | SignalHandlerOptions | UpdateHandlerOptions<any[]>,
): void {
  const run = currentRun('setHandler()');
  throwIfReservedName(def.type, def.name);
  requireHandler(handler);
  if (def.type === 'update') setUpdateHandler(run, def, handler as WorkflowUpdateType | undefined, options as UpdateHandlerOptions<any[]>);
  else if (def.type === 'signal') setSignalHandler(run, def, handler as WorkflowSignalType | undefined, options as SignalHandlerOptions);
  else if (def.type === 'query') setQueryHandler(run, def, handler as WorkflowQueryType | undefined, options);
  else throw new TypeError(`Expected a definition of a signal, query or update, got type '${(def as { type: unknown }).type}'`);
}

function setUpdateHandler(
  run: RunContext,
  { name, typeInfo }: UpdateDefinition<unknown, any[]>,
  handler: WorkflowUpdateType | undefined,
  options?: UpdateHandlerOptions<any[]>,
): void {
  if (!handler) {
    run.updateHandlers.delete(name);
    return;
  }
  const { validator, description, unfinishedPolicy = 'WARN_AND_ABANDON' } = options ?? {};
  run.updateHandlers.set(name, { handler, validator, description, unfinishedPolicy, typeInfo });
  dispatchBufferedUpdates(run);
}

function setSignalHandler(
  run: RunContext,
  { name, typeInfo }: SignalDefinition<any[]>,
  handler: WorkflowSignalType | undefined,
  options?: SignalHandlerOptions,
): void {
  if (!handler) {
    run.signalHandlers.delete(name);
    return;
  }
  const { description, unfinishedPolicy = 'WARN_AND_ABANDON' } = options ?? {};
  run.signalHandlers.set(name, { handler, description, unfinishedPolicy, typeInfo });
  dispatchBufferedSignals(run);
}

function setQueryHandler(
  run: RunContext,
  { name, typeInfo }: QueryDefinition<unknown, any[]>,
  handler: WorkflowQueryType | undefined,
  options?: QueryHandlerOptions,
): void {
  if (!handler) run.queryHandlers.delete(name);
  else run.queryHandlers.set(name, { handler, description: options?.description, typeInfo });
}

/** Handles the signals that have no handler of their own, also those that came before. */
export function setDefaultSignalHandler(handler: DefaultSignalHandler | undefined): void {
  const run = currentRun('setDefaultSignalHandler()');
  requireHandler(handler);
  run.defaultSignalHandler = handler ?? undefined;
  dispatchBufferedSignals(run);
}

/** Handles the updates that have no handler of their own. */
export function setDefaultUpdateHandler(handler: DefaultUpdateHandler | undefined): void {
  const run = currentRun('setDefaultUpdateHandler()');
  requireHandler(handler);
  run.defaultUpdateHandler = handler ?? undefined;
  dispatchBufferedUpdates(run);
}

/** Handles the queries that have no handler of their own. */
export function setDefaultQueryHandler(handler: DefaultQueryHandler | undefined): void {
  requireHandler(handler);
  currentRun('setDefaultQueryHandler()').defaultQueryHandler = handler ?? undefined;
}

/** Asks a workflow where it waits; every workflow answers. */
export const stackTraceQuery: QueryDefinition<string, [], string> = defineQuery<string>(STACK_TRACE_QUERY);
/** {@link stackTraceQuery}, for tools. */
export const enhancedStackTraceQuery: QueryDefinition<EnhancedStackTrace, [], string> =
  defineQuery<EnhancedStackTrace>(ENHANCED_STACK_TRACE_QUERY);
/** What handlers a workflow has, and its current details. */
export interface WorkflowMetadata {
  /**
   * The workflow's `type`, and its handlers: `queryDefinitions` (the SDK's own among them), `signalDefinitions` and `updateDefinitions`, each with the `name` and
   * the `description` that it was registered with.
   */
  definition: {
    type: string;
    queryDefinitions: { name: string; description?: string }[];
    signalDefinitions: { name: string; description?: string }[];
    updateDefinitions: { name: string; description?: string }[];
  };
  /** What `setCurrentDetails` set last; empty at first. */
  currentDetails: string;
}
/** Asks a workflow for its {@link WorkflowMetadata}; every workflow answers. */
export const workflowMetadataQuery: QueryDefinition<WorkflowMetadata, [], string> = defineQuery<WorkflowMetadata>(METADATA_QUERY);
