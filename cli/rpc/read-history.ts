/** Reads the whole history of a run, page by page. */
import type { temporal } from '@temporalio/proto';
import type { Connection } from './connection.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

export const readHistory = async (server: Connection, workflowId: string, options: { readonly namespace: string; readonly runId?: string }): Promise<HistoryEvent[]> => {
  const api = await server.workflows();
  const events: HistoryEvent[] = [];
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const page = await api.getWorkflowExecutionHistory({ namespace: options.namespace, execution: { workflowId, runId: options.runId ?? '' }, nextPageToken });
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0);
  return events;
};
