/**
 * What a completion callback is told: the request in which a Nexus operation's end is reported. A result goes as its plain content where an HTTP
 * header can say what it is, anything else as the payload itself; a failure as JSON.
 */
import { api, enums, type Failure, fromDuration, type HistoryEvent, type Payload } from './api.js';
import { callbackOf } from './kinds/callback.js';
import type { AttachedCallback, RunState } from './run-state.js';

export interface CallbackRequest {
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

interface Content {
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

const T = enums.EventType;
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array());

/** Headers that are the connection's own business, whatever a caller wrote into its callback. */
const NOT_ITS_OWN = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'trailer',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
]);

/** The request for one callback of a closed run. */
export function callbackRequest(state: RunState, attached: AttachedCallback, closeEvent: HistoryEvent): CallbackRequest {
  const { url, header } = callbackOf(attached).nexus!;
  const own = Object.entries(header ?? {}).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  const { headers, body } = outcomeOf(closeEvent);
  return {
    url: url ?? '',
    headers: {
      'user-agent': 'perdure',
      'nexus-operation-start-time': new Date(state.info.startMs).toUTCString(),
      'nexus-operation-close-time': new Date(state.closeMs).toISOString().replace('.000Z', 'Z'),
      'nexus-link': linkHeader(state, attached.requestId ?? ''),
      ...headers,
      ...Object.fromEntries(own.filter(([name]) => !NOT_ITS_OWN.has(name))),
    },
    body,
  };
}

function outcomeOf(event: HistoryEvent): Content {
  switch (event.eventType) {
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      const { headers, body } = contentOf(event.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]);
      return { headers: { ...headers, 'nexus-operation-state': 'succeeded' }, body };
    }
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
      return failed('failed', event.workflowExecutionFailedEventAttributes?.failure ?? {});
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
      return failed('canceled', {
        message: 'operation canceled',
        canceledFailureInfo: { details: event.workflowExecutionCanceledEventAttributes?.details },
      });
    case T.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      return failed('failed', { message: 'operation terminated', terminatedFailureInfo: {} });
    default:
      return failed('failed', { message: 'operation exceeded internal timeout', timeoutFailureInfo: {} });
  }
}

function failed(operationState: string, failure: Failure): Content {
  return {
    headers: { 'nexus-operation-state': operationState, 'content-type': 'application/json' },
    body: new TextEncoder().encode(JSON.stringify(failureToNexus(failure))),
  };
}

interface NexusFailure {
  message?: string;
  stackTrace?: string;
  metadata: Record<string, string>;
  details: object;
  cause?: NexusFailure;
}

/** A failure in Nexus's form: its texts are told apart from the rest, which goes along as the JSON of the API's own message. */
export function failureToNexus(failure: Failure): NexusFailure {
  const { message, stackTrace, ...rest } = failure;
  return {
    ...(message ? { message } : {}),
    ...(stackTrace ? { stackTrace } : {}),
    metadata: { type: 'temporal.api.failure.v1.Failure' },
    details: failureJson(rest),
    ...(failure.cause ? { cause: failureToNexus(failure.cause) } : {}),
  };
}

/** A failure as protobuf JSON. */
function failureJson({ cause, ...failure }: Failure): object {
  const { Failure: Codec } = api.failure.v1;
  const plain = Codec.toObject(Codec.fromObject(failure), { enums: String, longs: String, bytes: String });
  const { nextRetryDelay } = failure.applicationFailureInfo ?? {};
  if (nextRetryDelay) plain.applicationFailureInfo.nextRetryDelay = `${fromDuration(nextRetryDelay) / 1000}s`;
  return cause ? { ...plain, cause: failureJson(cause) } : plain;
}

/** The content of a payload and the headers that say what it is. */
export function contentOf(payload: Payload | null | undefined): Content {
  const none = new Uint8Array();
  if (!payload) return { headers: {}, body: none };
  const metadata = payload.metadata ?? {};
  const names = Object.keys(metadata);
  const type = text(metadata['messageType']);
  const content = (contentType?: string): Content => ({
    headers: contentType ? { 'content-type': contentType } : {},
    body: payload.data ?? none,
  });
  const encoding = text(metadata['encoding']);
  if (encoding === 'unknown/nexus-content') {
    const others = names.filter((name) => name !== 'encoding');
    return {
      headers: Object.fromEntries(others.map((name) => [`content-${name.toLowerCase()}`, text(metadata[name])])),
      body: payload.data ?? none,
    };
  }
  if (names.length === 1 && encoding === 'json/plain') return content('application/json');
  if (names.length === 1 && encoding === 'binary/null') return content();
  if (names.length === 1 && encoding === 'binary/plain') return content('application/octet-stream');
  if (names.length === 2 && type && encoding === 'json/protobuf')
    return content(`application/json; format=protobuf; message-type=${JSON.stringify(type)}`);
  if (names.length === 2 && type && encoding === 'binary/protobuf')
    return content(`application/x-protobuf; message-type=${JSON.stringify(type)}`);
  return { headers: { 'content-type': 'application/x-temporal-payload' }, body: api.common.v1.Payload.encode(payload).finish() };
}

/** Back to the event that attached the callback: the run's first, or the one that took a later request id, which is named by that id. */
function linkHeader({ info, requestIds }: RunState, requestId: string): string {
  const [namespace, workflowId, runId] = [info.namespace, info.workflowId, info.runId].map(encodeURIComponent);
  const later = requestIds[requestId]?.eventType === T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED;
  const query = later
    ? new URLSearchParams({ eventType: 'WorkflowExecutionOptionsUpdated', referenceType: 'RequestIdReference', requestID: requestId })
    : new URLSearchParams({ eventID: '1', eventType: 'WorkflowExecutionStarted', referenceType: 'EventReference' });
  return `<temporal:///namespaces/${namespace}/workflows/${workflowId}/${runId}/history?${query}>; type="temporal.api.common.v1.Link.WorkflowEvent"`;
}
