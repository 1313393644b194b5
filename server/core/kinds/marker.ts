/** The marker: something a worker wants to remember in the history (side effects, local activities, patches, approvals). */
import { enums, int64, type temporal } from '../api.js';
import type { Turn } from '../turn.js';
import { noteApprovalMarker } from './approval.js';

type Attributes = temporal.api.command.v1.IRecordMarkerCommandAttributes;

/** A checked RecordMarker command. */
export function recordMarker(turn: Turn, attributes: Attributes, completedEventId: number): void {
  turn.append({
    eventType: enums.EventType.EVENT_TYPE_MARKER_RECORDED,
    markerRecordedEventAttributes: {
      markerName: attributes.markerName,
      details: attributes.details,
      workflowTaskCompletedEventId: int64(completedEventId),
      header: attributes.header,
      failure: attributes.failure,
    },
  });
}

export const markerEvents = {
  [enums.EventType.EVENT_TYPE_MARKER_RECORDED]: noteApprovalMarker,
};
