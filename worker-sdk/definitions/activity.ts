// biome-ignore-all lint/suspicious/noExplicitAny: the arguments of user functions; unknown would refuse every function with parameters.
/** What an activity is to the type system: shared by workers, activities and workflow code. */
import type { PayloadTypeInfo } from './type-info.js';

/** Any activity function. */
export interface ActivityFunction<P extends unknown[] = any[], R = any> {
  (...args: P): Promise<R>;
}

/** A group of activities by name, when their types are not known. */
export type UntypedActivities = Record<string, ActivityFunction>;

/** Options that belong to an activity's definition, wherever it is called. */
export interface ActivityDefinitionOptions {
  /** How arguments and result are converted by the worker. Default: by the payload converter alone. */
  typeInfo?: PayloadTypeInfo;
}

type ActivityKeys<A> = { [K in keyof A & string]: A[K] extends ActivityFunction ? K : never }[keyof A & string];

/** Type information for the activities of a group, by name. */
export type ActivityTypeInfoMap<A> = Partial<Record<ActivityKeys<A>, PayloadTypeInfo>>;

/** An activity function that carries options. */
export interface ActivityFunctionWithOptions<Args extends unknown[] = any[], ReturnType = any> extends ActivityFunction<Args, ReturnType> {
  /** Set by `setActivityOptions`. */
  activityDefinitionOptions: ActivityDefinitionOptions;
}

/** Whether options were attached to an activity function with `setActivityOptions`. */
export function isActivityFunctionWithOptions(value: unknown): value is ActivityFunctionWithOptions {
  return typeof value === 'function' && 'activityDefinitionOptions' in value;
}
