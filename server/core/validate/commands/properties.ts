/** UpsertWorkflowSearchAttributes and ModifyWorkflowProperties: what a run says of itself. */
import { enums, type Payload, type temporal } from '../../api.js';
import { type CommandFault, failsTask, terminatesRun } from '../command-fault.js';
import type { CommandContext } from '../command-context.js';
import { memoExceeds } from '../payload-size.js';
import { attributeSizesProblem, attributeValuesProblem, unknownAttributeProblem } from '../search-attributes.js';

const Cause = enums.WorkflowTaskFailedCause;

/** Bytes of names and values, without what their encoding adds. */
function fieldsSize(fields: { [key: string]: Payload } | null | undefined): number {
  return Object.entries(fields ?? {}).reduce((sum, [key, payload]) => sum + key.length + (payload.data?.length ?? 0), 0);
}

export function upsertSearchAttributesFault(
  attributes: temporal.api.command.v1.IUpsertWorkflowSearchAttributesCommandAttributes | null | undefined,
  context: CommandContext,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES;
  const command = 'UpsertWorkflowSearchAttributesCommand';
  if (!attributes) return failsTask(cause, `UpsertWorkflowSearchAttributesCommandAttributes is not set on ${command}.`);
  const { searchAttributes } = attributes;
  if (!searchAttributes) return failsTask(cause, `SearchAttributes is not set on ${command}.`);
  const fields = searchAttributes.indexedFields ?? {};
  if (Object.keys(fields).length === 0) return failsTask(cause, `IndexedFields is not set on ${command}.`);
  const custom = context.customSearchAttributes(context.namespace);
  const fault = failsTask(cause, unknownAttributeProblem(searchAttributes, custom) ?? attributeValuesProblem(searchAttributes, custom));
  if (fault) return fault;
  if (fieldsSize(fields) > context.limits.payloadSizeMax)
    return terminatesRun(cause, 'UpsertWorkflowSearchAttributesCommandAttributes exceeds size limit.');
  const merged = { indexedFields: { ...context.searchAttributes?.indexedFields, ...fields } };
  return terminatesRun(cause, attributeSizesProblem(merged));
}

export function modifyPropertiesFault(
  attributes: temporal.api.command.v1.IModifyWorkflowPropertiesCommandAttributes | null | undefined,
  context: CommandContext,
): CommandFault | undefined {
  const cause = Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;
  const command = 'ModifyWorkflowPropertiesCommand';
  if (!attributes) return failsTask(cause, `ModifyWorkflowPropertiesCommandAttributes is not set on ${command}.`);
  if (!attributes.upsertedMemo) return failsTask(cause, `UpsertedMemo is not set on ${command}.`);
  const fields = attributes.upsertedMemo.fields ?? {};
  if (Object.keys(fields).length === 0) return failsTask(cause, `UpsertedMemo.Fields is not set on ${command}.`);
  if (fieldsSize(fields) > context.limits.payloadSizeMax)
    return terminatesRun(cause, 'ModifyWorkflowPropertiesCommandAttributes exceeds size limit.');
  const merged = { fields: { ...context.memo?.fields, ...fields } };
  const tooLarge = memoExceeds(merged, context.limits.memoSizeMax);
  return terminatesRun(cause, tooLarge ? 'ModifyWorkflowPropertiesCommandAttributes. Memo exceeds size limit.' : undefined);
}
