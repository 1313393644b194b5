/** Small parts that the commands of all kinds share. */
import proto from '@temporalio/proto';
import type { Payload } from '../../definitions/api.js';
import type { ApiCommand, WorkflowCommand } from '../protocol.js';

export const CommandType = proto.temporal.api.enums.v1.CommandType;

/** Summary, details and event groups, if the code gave any. */
export function metadataOf(command: WorkflowCommand): Pick<ApiCommand, 'userMetadata' | 'eventGroupMarkers'> {
  const metadata: Pick<ApiCommand, 'userMetadata' | 'eventGroupMarkers'> = {};
  if (command.userMetadata) metadata.userMetadata = command.userMetadata;
  if (command.eventGroupMarkers?.length) metadata.eventGroupMarkers = command.eventGroupMarkers;
  return metadata;
}

/** A list of payloads as the API wants it; nothing for an empty list. */
export function payloadsOf(values: Payload[] | null | undefined): { payloads: Payload[] } | undefined {
  return values?.length ? { payloads: values } : undefined;
}

/** A map of payloads under the API's `fields`; nothing for an empty map. */
export function fieldsOf(values: { [key: string]: Payload } | null | undefined): { fields: { [key: string]: Payload } } | undefined {
  return values && Object.keys(values).length > 0 ? { fields: values } : undefined;
}

/** The first of a list of payloads: results of activities and workflows have exactly one. */
export function firstPayload(payloads: { payloads?: Payload[] | null } | null | undefined): Payload | undefined {
  return payloads?.payloads?.[0];
}
