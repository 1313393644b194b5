/** Answers larger than a message: in pages where the server takes them, and all over again when it has lost some. */
import { status } from '@grpc/grpc-js';
import type { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { completeInPages, pagesOf } from '../../../worker-sdk/worker/completion-pages.js';
import type { WorkerRpcs } from '../../../worker-sdk/worker/delivery.js';
import { GrpcError } from '../../../worker-sdk/transport/grpc-error.js';
import { Metadata } from '@grpc/grpc-js';
import proto from '@temporalio/proto';

type Command = temporal.api.command.v1.ICommand;

const marker = (name: string, size: number): Command => ({
  commandType: 11,
  recordMarkerCommandAttributes: { markerName: name, details: { data: { payloads: [{ data: Buffer.alloc(size) }] } } },
});
const names = (pages: readonly Command[][] | undefined) =>
  pages?.map((page) => page.map((c) => c.recordMarkerCommandAttributes?.markerName).join(''));

describe('commands', () => {
  it('fill pages in their order', () => {
    expect(names(pagesOf([marker('a', 400), marker('b', 400), marker('c', 900), marker('d', 10), marker('e', 10)], 1_000))).toEqual([
      'ab',
      'cde',
    ]);
    expect(names(pagesOf([marker('a', 1_500), marker('b', 10)], 1_000))).toEqual(['a', 'b']);
  });

  it('stay whole where pages would not help', () => {
    expect(pagesOf([marker('a', 10), marker('b', 10)], 1_000)).toBeUndefined();
    expect(pagesOf([marker('a', 10), marker('b', 2_500)], 1_000)).toBeUndefined();
    expect(pagesOf([], 1_000)).toBeUndefined();
  });
});

/** What a server says that has lost pages. */
function lost(): GrpcError {
  const details = [
    { type_url: 'type.googleapis.com/temporal.api.errordetails.v1.WorkflowTaskCompletionBufferLostFailure', value: new Uint8Array() },
  ];
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(proto.google.rpc.Status.encode({ code: status.ABORTED, details }).finish()));
  return new GrpcError(status.ABORTED, 'lost', metadata);
}

type Sent = Parameters<WorkerRpcs['workflowTaskPage']>[0];

function server(answers: (Error | undefined)[]): { rpcs: WorkerRpcs; sent: Sent[] } {
  const sent: Sent[] = [];
  const workflowTaskPage = async (request: Sent) => {
    sent.push(request);
    const error = answers.shift();
    if (error) throw error;
    return { resetHistoryEventId: sent.length };
  };
  return { rpcs: { workflowTaskPage } as unknown as WorkerRpcs, sent };
}

const request = { taskToken: Buffer.from('t'), namespace: 'n', identity: 'i', queryResults: {}, returnNewWorkflowTask: true };
const pages = [[marker('a', 1)], [marker('b', 1)], [marker('c', 1)]];
const numbers = (sent: readonly Sent[]) => sent.map((s) => `${s.pageNumber}${s.intermediatePage ? '+' : '.'}`).join(' ');

describe('an answer in pages', () => {
  it('says everything else with the last', async () => {
    const { rpcs, sent } = server([]);
    expect(await completeInPages(rpcs, request, pages, {})).toEqual({ resetHistoryEventId: 3 });
    expect(numbers(sent)).toBe('0+ 1+ 2.');
    expect(sent[0]).not.toHaveProperty('returnNewWorkflowTask');
    expect(sent[2]).toMatchObject({ returnNewWorkflowTask: true, commands: pages[2] });
  });

  it('is sent all over again when pages were lost', async () => {
    const { rpcs, sent } = server([undefined, undefined, lost()]);
    await completeInPages(rpcs, request, pages, {});
    expect(numbers(sent)).toBe('0+ 1+ 2. 0+ 1+ 2.');
  });

  it('ends with whatever else goes wrong, and with the worker', async () => {
    const gone = new GrpcError(status.NOT_FOUND, 'gone', new Metadata());
    await expect(completeInPages(server([undefined, gone]).rpcs, request, pages, {})).rejects.toBe(gone);
    const stop = new AbortController();
    const { rpcs, sent } = server([lost()]);
    const answer = completeInPages(rpcs, request, pages, { abortSignal: stop.signal });
    stop.abort();
    await expect(answer).rejects.toThrow();
    expect(sent).toHaveLength(1);
  });
});
