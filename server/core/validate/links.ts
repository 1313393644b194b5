/** Links that callers attach to what they start or signal: few, small, and each complete. */
import { api, enums, type temporal, toNumber } from '../api.js';
import { LINK_SIZE_MAX, LINKS_PER_REQUEST_MAX } from './limits.js';
import type { Problem } from './problem.js';

type Link = temporal.api.common.v1.ILink;

function missing(kind: string, fields: ReadonlyArray<readonly [string, string | null | undefined]>): Problem {
  const empty = fields.find(([, value]) => !value);
  return empty && `${kind} link must not have an empty ${empty[0]}`;
}

function workflowEventProblem(event: temporal.api.common.v1.Link.IWorkflowEvent): Problem {
  const { namespace, workflowId, runId, eventRef } = event;
  const incomplete = missing('workflow event', [
    ['namespace field', namespace],
    ['workflow ID field', workflowId],
    ['run ID field', runId],
  ]);
  if (incomplete) return incomplete;
  const untyped = (eventRef?.eventType ?? 0) === enums.EventType.EVENT_TYPE_UNSPECIFIED;
  if (eventRef && untyped && toNumber(eventRef.eventId) !== 0)
    return 'workflow event link ref cannot have an unspecified event type and a non-zero event ID';
  return undefined;
}

function variantProblem({ workflowEvent, batchJob, nexusOperation, activity, workflow }: Link): Problem {
  if (workflowEvent) return workflowEventProblem(workflowEvent);
  if (batchJob) return missing('batch job', [['job ID', batchJob.jobId]]);
  if (nexusOperation) {
    const { namespace, operationId, runId } = nexusOperation;
    return missing('nexus operation', [
      ['namespace field', namespace],
      ['operation ID field', operationId],
      ['run ID field', runId],
    ]);
  }
  if (activity) {
    const { namespace, activityId, runId } = activity;
    return missing('activity', [
      ['namespace field', namespace],
      ['activity ID field', activityId],
      ['run ID field', runId],
    ]);
  }
  if (workflow) {
    const { namespace, workflowId, runId } = workflow;
    return missing('workflow', [
      ['namespace field', namespace],
      ['workflow ID field', workflowId],
      ['run ID field', runId],
    ]);
  }
  return 'unsupported link variant';
}

export function linksProblem(links: readonly Link[] | null | undefined): Problem {
  if (!links || links.length === 0) return undefined;
  if (links.length > LINKS_PER_REQUEST_MAX)
    return `cannot attach more than ${LINKS_PER_REQUEST_MAX} links per request, got ${links.length}`;
  for (const link of links) {
    const size = api.common.v1.Link.encode(link).finish().length;
    if (size > LINK_SIZE_MAX) return `link exceeds allowed size of ${LINK_SIZE_MAX}, got ${size}`;
    const problem = variantProblem(link);
    if (problem) return problem;
  }
  return undefined;
}
