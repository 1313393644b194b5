/** RecordMarker. */
import { enums, type temporal } from '../../api.js';
import { type CommandFault, failsTask, terminatesRun } from '../command-fault.js';
import type { CommandContext } from '../command-context.js';
import { detailsExceed } from '../payload-size.js';
import type { Problem } from '../problem.js';
import { exceeds, utf8Length } from '../text-length.js';

function nameProblem(name: string | null | undefined, lengthMax: number): Problem {
  if (!name) return 'MarkerName is not set on RecordMarkerCommand.';
  if (!exceeds(name, lengthMax)) return undefined;
  return `MarkerName on RecordMarkerCommand exceeds length limit. MarkerName=${name} Length=${utf8Length(name)} Limit=${lengthMax}`;
}

export function recordMarkerFault(
  attributes: temporal.api.command.v1.IRecordMarkerCommandAttributes | null | undefined,
  { limits }: CommandContext,
): CommandFault | undefined {
  const cause = enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;
  if (!attributes) return failsTask(cause, 'RecordMarkerCommandAttributes is not set on RecordMarkerCommand.');
  const fault = failsTask(cause, nameProblem(attributes.markerName, limits.idLengthMax));
  if (fault || !detailsExceed(attributes.details, limits.payloadSizeMax)) return fault;
  return terminatesRun(cause, 'RecordMarkerCommandAttributes.Details exceeds size limit.');
}
