/** A client of the open API by nothing but grpc-js: no retries, no stream of calls. What anybody's own load generator would be. */
import { randomUUID } from 'node:crypto';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import proto from '@temporalio/proto';

const SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
const api = proto.temporal.api.workflowservice.v1;
const CLOSE_EVENT = 2;
const COMPLETE_WORKFLOW = 4;
const same = (bytes) => bytes;
const none = new Metadata();

/** Milliseconds that the server asked to stay away; undefined when it did not say. */
function askedMs(error) {
  const raw = error.metadata?.get('grpc-status-details-bin')[0];
  const found = raw && proto.google.rpc.Status.decode(raw).details.find((any) => any.type_url.endsWith('/google.rpc.RetryInfo'));
  if (!found) return undefined;
  const { seconds, nanos } = proto.google.protobuf.Duration.decode(found.value.subarray(2));
  return Number(seconds) * 1000 + nanos / 1e6;
}

/** One connection. */
export class PlainConnection {
  constructor(address, namespace = 'default') {
    this.namespace = namespace;
    // a channel of its own, also where others go to the same address
    this.grpc = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  }

  /** Resolves to the response; rejects with grpc-js's error, to which `askedMs` is added. */
  call(method, request, { timeoutMs = 60_000 } = {}) {
    const bytes = Buffer.from(api[`${method}Request`].encode({ namespace: this.namespace, ...request }).finish());
    return new Promise((resolve, reject) => {
      this.grpc.makeUnaryRequest(`/${SERVICE}/${method}`, same, same, bytes, none, { deadline: Date.now() + timeoutMs }, (error, response) => {
        if (!error) resolve(api[`${method}Response`].decode(response));
        else reject(Object.assign(error, { askedMs: error.code === status.RESOURCE_EXHAUSTED ? askedMs(error) : undefined }));
      });
    });
  }

  start(type, queue, workflowId = `plain-${randomUUID()}`, args = []) {
    const payloads = args.map((arg) => ({ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(arg)) }));
    const request = { workflowId, workflowType: { name: type }, taskQueue: { name: queue }, input: { payloads }, requestId: randomUUID() };
    return this.call('StartWorkflowExecution', request).then(({ runId }) => ({ workflowId, runId }));
  }

  /** Waits for a run to close. */
  async closed(execution) {
    for (let nextPageToken; ; ) {
      const request = { execution, waitNewEvent: true, historyEventFilterType: CLOSE_EVENT, nextPageToken };
      const page = await this.call('GetWorkflowExecutionHistory', request);
      if (page.history?.events.length > 0) return page.history.events[0];
      nextPageToken = page.nextPageToken;
    }
  }

  /** A worker that takes one workflow task at a time, spends so long on it and completes the workflow, until `over` says so. */
  async consume(queue, spendMs, over) {
    let count = 0;
    while (!over()) {
      const task = await this.call('PollWorkflowTaskQueue', { taskQueue: { name: queue }, identity: 'plain' }).catch(() => undefined);
      if (!task?.taskToken?.length) continue;
      await new Promise((resolve) => setTimeout(resolve, spendMs));
      const commands = [{ commandType: COMPLETE_WORKFLOW, completeWorkflowExecutionCommandAttributes: {} }];
      await this.call('RespondWorkflowTaskCompleted', { taskToken: task.taskToken, commands, identity: 'plain' }).then(() => count++, () => undefined);
    }
    return count;
  }

  close() {
    this.grpc.close();
  }
}

/** The face that the benchmarks' scenarios need. */
export function plainClient(address, namespace) {
  const connection = new PlainConnection(address, namespace);
  const workflow = {
    async start(type, { taskQueue, workflowId, args = [] }) {
      const execution = await connection.start(type, taskQueue, workflowId, args);
      return { result: () => connection.closed(execution) };
    },
  };
  return { client: { workflow }, connection, close: async () => connection.close() };
}
