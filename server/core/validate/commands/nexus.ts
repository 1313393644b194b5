/** The commands about Nexus operations. No endpoints can be registered with this server, so every one that a command names is unknown, and no operation is under way. */
import { enums, type temporal, toNumber } from '../../api.js';
import { type CommandFault, failsTask } from '../command-fault.js';

const Cause = enums.WorkflowTaskFailedCause;

export const scheduleNexusFault = (attributes: temporal.api.command.v1.IScheduleNexusOperationCommandAttributes | null | undefined): CommandFault | undefined =>
  failsTask(
    Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES,
    attributes ? `endpoint ${JSON.stringify(attributes.endpoint ?? '')} not found` : 'empty ScheduleNexusOperationCommandAttributes',
  );

export const cancelNexusFault = (attributes: temporal.api.command.v1.IRequestCancelNexusOperationCommandAttributes | null | undefined): CommandFault | undefined =>
  failsTask(
    Cause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES,
    attributes
      ? `requested cancelation for a non-existing or already completed operation with scheduled event ID of ${toNumber(attributes.scheduledEventId)}`
      : 'empty CancelNexusOperationCommandAttributes',
  );
