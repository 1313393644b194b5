/** The events of one run as they come, from the first to the last. It outlives an engine that goes away and comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@perdure/sdk/client';

type Response = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistory']>>;
export type HistoryEvent = NonNullable<NonNullable<Response['history']>['events']>[number];

const PAUSE_MS = 1_000;
/** gRPC status of a run that is not there. */
const NOT_FOUND = 5;

/** @param onTrouble is told why nothing comes, and undefined once something does again */
export async function* followRun(client: Client, execution: { workflowId: string; runId: string }, onTrouble: (problem: string | undefined) => void): AsyncGenerator<HistoryEvent> {
  const request = { namespace: client.options.namespace, execution, waitNewEvent: true };
  let nextPageToken: Uint8Array | undefined;
  let seen = 0;
  for (;;) {
    let response: Response;
    try {
      response = await client.workflowService.getWorkflowExecutionHistory({ ...request, nextPageToken });
    } catch (error) {
      if ((error as { code?: unknown }).code === NOT_FOUND) throw error;
      onTrouble((error as Error).message);
      nextPageToken = undefined; // from the beginning; what was seen is skipped
      await sleep(PAUSE_MS);
      continue;
    }
    onTrouble(undefined);
    for (const event of response.history?.events ?? []) {
      const id = Number(event.eventId);
      if (id <= seen) continue;
      seen = id;
      yield event;
    }
    nextPageToken = response.nextPageToken;
    if (!nextPageToken?.length) return;
  }
}
