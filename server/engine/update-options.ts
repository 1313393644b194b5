/** UpdateWorkflowExecutionOptions: what may be changed of a run while it runs: its priority and the override of its worker's version. */
import { api, type temporal } from '../core/api.js';
import { failedPrecondition, invalidArgument, unimplemented } from '../core/errors.js';
import { optionsOf, updateOptions } from '../core/kinds/options.js';
import type { Turn } from '../core/turn.js';
import { leadsToField } from '../core/validate/field-mask.js';
import { refuse } from '../core/validate/problem.js';
import { priorityProblem } from '../core/validate/priority.js';
import { pinnedTo, versioningOverrideProblem } from '../core/validate/versioning-override.js';
import type { Call } from './call.js';
import { changeOpenRun } from './change-open-run.js';
import type { Engine } from './engine.js';

type Request = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionOptionsRequest;
type Options = temporal.api.workflow.v1.IWorkflowExecutionOptions;
const OptionsType = api.workflow.v1.WorkflowExecutionOptions;

export async function updateRunOptions(engine: Engine, request: Request, _call: Call): Promise<{ workflowExecutionOptions: Options }> {
  const namespace = await engine.registry.require(request.namespace);
  if (!request.workflowExecution?.workflowId) throw invalidArgument('WorkflowId is not set on request.');
  requireOptionsMask(request.updateMask);
  if (!request.workflowExecutionOptions) throw invalidArgument('WorkflowExecutionOptions is required');
  checkOptions(request.workflowExecutionOptions);
  return changeOpenRun(engine, namespace, request.workflowExecution, (turn) => ({
    workflowExecutionOptions: changeOptions(turn, request, request.identity ?? ''),
  }));
}

export function requireOptionsMask(mask: Request['updateMask']): void {
  if (!mask) throw invalidArgument('UpdateMask is required');
  for (const path of mask.paths ?? []) {
    if (!leadsToField(OptionsType, path))
      throw invalidArgument(
        `error parsing UpdateMask: invalid path "${path}" for message "temporal.api.workflow.v1.WorkflowExecutionOptions"`,
      );
  }
}

export function checkOptions({ priority, timeSkippingConfig }: Options): void {
  refuse(priorityProblem(priority));
  if (timeSkippingConfig) throw unimplemented('Time skipping is not supported by this server.');
}

export interface OptionsChange {
  workflowExecutionOptions?: Options | null;
  updateMask?: Request['updateMask'];
}

/** Changes what the mask names; the options as they are then. */
export function changeOptions(turn: Turn, { workflowExecutionOptions: asked, updateMask }: OptionsChange, identity: string): Options {
  const before = optionsOf(turn.state);
  const after = merge(before, asked ?? {}, updateMask?.paths ?? []);
  requireVersion(turn, after.versioningOverride);
  const same = Buffer.from(OptionsType.encode(before).finish()).equals(OptionsType.encode(after).finish());
  if (!same) updateOptions(turn, after, identity);
  return after;
}

function merge(before: Options, asked: Options, paths: readonly string[]): Options {
  const after: Options = { ...before };
  for (const path of paths) {
    const [field, part] = path.split('.');
    if (field === 'versioning_override') {
      if (part) requireWholeOverride(part, paths);
      after.versioningOverride = asked.versioningOverride;
    } else if (field === 'priority' && !part) {
      after.priority = asked.priority;
    } else if (field === 'priority') {
      const name = PRIORITY_FIELDS[part!]!;
      after.priority = { ...after.priority, [name]: asked.priority?.[name] };
    } else if (part) {
      throw invalidArgument("error applying update_options: time_skipping_config doesn't support partial update");
    }
  }
  return after;
}

const PRIORITY_FIELDS: Readonly<Record<string, 'priorityKey' | 'fairnessKey' | 'fairnessWeight'>> = {
  priority_key: 'priorityKey',
  fairness_key: 'fairnessKey',
  fairness_weight: 'fairnessWeight',
};

/** Only the old pair of fields may be named by its parts, and then both. */
function requireWholeOverride(part: string, paths: readonly string[]): void {
  const pair = ['behavior', 'deployment'];
  if (!pair.includes(part)) throw invalidArgument("error applying update_options: versioning_override doesn't support partial updates");
  if (pair.every((name) => paths.includes(`versioning_override.${name}`))) return;
  throw invalidArgument('error applying update_options: versioning_override fields must be updated together');
}

/** A run may be pinned to versions that poll its queue; this server knows of none. */
function requireVersion(turn: Turn, override: Options['versioningOverride']): void {
  const { info } = turn.state;
  if (override?.pinned?.behavior && !override.pinned.version) {
    throw failedPrecondition(
      `must specify a specific pinned override version because workflow with id ${info.workflowId} has behavior Unspecified and is not yet pinned to any version`,
    );
  }
  refuse(versioningOverrideProblem(override));
  const version = pinnedTo(override);
  if (version) throw failedPrecondition(`Pinned version '${version}' is not present in task queue '${info.taskQueue}' of type 'Workflow'`);
}
