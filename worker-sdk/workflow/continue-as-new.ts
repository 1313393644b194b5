/** Ending a run and going on in a fresh one. */
import { msOptionalToTs } from '../definitions/duration.js';
import { encodeInitialVersioningBehavior } from '../definitions/versioning.js';
import type { Workflow } from '../definitions/workflow.js';
import { mapToPayloads, toPayloadsWithContext } from '../payload/payload-converter.js';
import { searchAttributesOf } from './children.js';
import { currentRun } from './current-run.js';
import { eventGroupMarkers } from './event-groups.js';
import type { ContinueAsNewInput } from './interceptors.js';
import { ContinueAsNew, type ContinueAsNewOptions, encodeVersioningIntent } from './interfaces.js';
import type { RunContext } from './run-context.js';

/** A function that continues as new with the given options; call it with the arguments of the workflow. */
export function makeContinueAsNewFunc<F extends Workflow>(options?: ContinueAsNewOptions): (...args: Parameters<F>) => Promise<never> {
  const run = currentRun('continueAsNew()');
  const { workflowType, taskQueue, ...rest } = options ?? {};
  const required = { workflowType: workflowType ?? run.facts.workflowType, taskQueue: taskQueue ?? run.facts.taskQueue, ...rest };
  return (...args) => {
    const unwind = async (input: ContinueAsNewInput): Promise<never> => {
      throw new ContinueAsNew(commandOf(run, input), eventGroupMarkers(input.options.eventGroups));
    };
    return run.intercept(run.outbound, 'continueAsNew', unwind)({ args, headers: {}, options: required });
  };
}

/**
 * Ends this run and starts the next one of the same workflow with these arguments: the way to keep histories short.
 *
 * @example
 * ```ts
 * if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof cart>(items);
 * ```
 */
export function continueAsNew<F extends Workflow>(...args: Parameters<F>): Promise<never> {
  return makeContinueAsNewFunc<F>()(...args);
}

function commandOf(run: RunContext, { args, headers, options }: ContinueAsNewInput): ContinueAsNew['command'] {
  const typeInfo = options.typeInfo ?? (options.workflowType === run.facts.workflowType ? run.typeInfo : undefined);
  return {
    workflowType: options.workflowType,
    arguments: toPayloadsWithContext(run.payloadConverter, run.context, args, typeInfo?.inputTypes),
    headers,
    taskQueue: options.taskQueue,
    memo: options.memo && mapToPayloads(run.payloadConverter, options.memo, run.context),
    searchAttributes: searchAttributesOf(options),
    workflowRunTimeout: msOptionalToTs(options.workflowRunTimeout),
    workflowTaskTimeout: msOptionalToTs(options.workflowTaskTimeout),
    backoffStartInterval: msOptionalToTs(options.backoffStartInterval),
    versioningIntent: encodeVersioningIntent(options.versioningIntent),
    initialVersioningBehavior: encodeInitialVersioningBehavior(options.initialVersioningBehavior),
  };
}
