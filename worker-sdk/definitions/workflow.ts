// biome-ignore-all lint/suspicious/noExplicitAny: the arguments of user functions; unknown would refuse every function with parameters.
/** What a workflow, a signal, a query and an update are to the type system: shared by clients and workflow code. */
import type { History } from './api.js';
import type { PayloadTypeInfo, SignalTypeInfo } from './type-info.js';

/** What a workflow function returns. */
export type WorkflowReturnType = Promise<any>;
/** Any workflow function. */
export type Workflow = (...args: any[]) => WorkflowReturnType;
/** What a workflow function's promise resolves to. */
export type WorkflowResultType<W extends Workflow> = ReturnType<W> extends Promise<infer R> ? R : never;

/** A function that handles an update. */
export type WorkflowUpdateType = (...args: any[]) => Promise<any> | any;
/** A function that rejects an update by throwing. */
export type WorkflowUpdateValidatorType = (...args: any[]) => void;
/** A function that handles a signal. */
export type WorkflowSignalType = (...args: any[]) => Promise<void> | void;
/** A function that answers a query. */
export type WorkflowQueryType = (...args: any[]) => any;

/** What happens to a signal or update handler that still runs when its workflow returns: a warning, or nothing. */
export const HandlerUnfinishedPolicy = { WARN_AND_ABANDON: 'WARN_AND_ABANDON', ABANDON: 'ABANDON' } as const;
export type HandlerUnfinishedPolicy = (typeof HandlerUnfinishedPolicy)[keyof typeof HandlerUnfinishedPolicy];

/** An update handler with all that was registered beside it: `handler`, `validator`, `description`, `typeInfo`. */
export interface WorkflowUpdateAnnotatedType {
  handler: WorkflowUpdateType;
  /** Default `WARN_AND_ABANDON`. */
  unfinishedPolicy: HandlerUnfinishedPolicy;
  validator?: WorkflowUpdateValidatorType;
  description?: string;
  typeInfo?: PayloadTypeInfo;
}

/** A signal handler with all that was registered beside it: `handler`, `description`, `typeInfo`. */
export interface WorkflowSignalAnnotatedType {
  handler: WorkflowSignalType;
  /** Default `WARN_AND_ABANDON`. */
  unfinishedPolicy: HandlerUnfinishedPolicy;
  description?: string;
  typeInfo?: SignalTypeInfo;
}

/** A query handler with all that was registered beside it: `handler`, `description`, `typeInfo`. */
export interface WorkflowQueryAnnotatedType {
  handler: WorkflowQueryType;
  description?: string;
  typeInfo?: PayloadTypeInfo;
}

declare const argsBrand: unique symbol;
declare const retBrand: unique symbol;

/** Options of {@link defineUpdate}. */
export interface UpdateDefinitionOptions {
  /** How arguments and result are converted, on both sides. Default: by the payload converter alone. */
  typeInfo?: PayloadTypeInfo;
}
/** Options of {@link defineSignal}. */
export interface SignalDefinitionOptions {
  /** How the arguments are converted, on both sides. Default: by the payload converter alone. */
  typeInfo?: SignalTypeInfo;
}
/** Options of {@link defineQuery}. */
export interface QueryDefinitionOptions {
  /** How arguments and result are converted, on both sides. Default: by the payload converter alone. */
  typeInfo?: PayloadTypeInfo;
}

/** `name` and types of an update, made by `defineUpdate`; typed handles and handlers both derive from it. */
export interface UpdateDefinition<Ret, Args extends unknown[] = [], Name extends string = string> {
  type: 'update';
  name: Name;
  /** How arguments and result are converted. */
  typeInfo?: PayloadTypeInfo;
  [argsBrand]: Args;
  [retBrand]: Ret;
}

/** `name` and types of a signal, made by `defineSignal`. */
export interface SignalDefinition<Args extends unknown[] = [], Name extends string = string> {
  type: 'signal';
  name: Name;
  /** How the arguments are converted. */
  typeInfo?: SignalTypeInfo;
  [argsBrand]: Args;
}

/** `name` and types of a query, made by `defineQuery`. */
export interface QueryDefinition<Ret, Args extends unknown[] = [], Name extends string = string> {
  type: 'query';
  name: Name;
  /** How arguments and result are converted. */
  typeInfo?: PayloadTypeInfo;
  [argsBrand]: Args;
  [retBrand]: Ret;
}

/** Arguments and conversion of a signal that is sent by name. */
export interface WorkflowSignalOptions<Args extends unknown[] = []> {
  /** Default: none. */
  args?: Args;
  /** How they are converted. Default: by the payload converter alone. */
  typeInfo?: SignalTypeInfo;
}

/** Arguments and conversion of a query that is sent by name. */
export interface WorkflowQueryOptions<Args extends unknown[] = []> {
  /** Default: none. */
  args?: Args;
  /** How they and the result are converted. Default: by the payload converter alone. */
  typeInfo?: PayloadTypeInfo;
}

/** What client handles and child-workflow handles have in common. */
export interface BaseWorkflowHandle<T extends Workflow> {
  /** Waits for the workflow and returns its result, or throws its failure. */
  result(): Promise<WorkflowResultType<T>>;
  /** Sends a signal. */
  signal<Args extends unknown[] = [], Name extends string = string>(def: SignalDefinition<Args, Name> | string, ...args: Args): Promise<void>;
  /** Sends a signal by name, with conversion options. */
  signalWithOptions<Args extends unknown[] = []>(signalName: string, options: WorkflowSignalOptions<Args>): Promise<void>;
  /** Chosen by whoever started the workflow. */
  readonly workflowId: string;
}

/** A history and whose it is, as replay takes it. */
export interface HistoryAndWorkflowId {
  /** Recorded histories do not say it; it is what workflow code is told. */
  workflowId: string;
  /** The API's message or its bytes, or what tools download: its JSON, parsed or not. */
  history: History | unknown | undefined;
}
