/** One RPC from request message to response message: encode, attempt, retry, decode. */
import { Metadata as GrpcMetadata, status } from '@grpc/grpc-js';
import type { Method, Type } from 'protobufjs';
import type { CallContext } from './call-context.js';
import type { Channel, Metadata } from './channel.js';
import { GrpcError } from './grpc-error.js';
import type { GrpcRetryOptions } from './retry.js';
import { NO_RETRY } from './retry.js';

/** Attempts of ordinary calls end after so long; an answer that takes longer was lost. */
const CALL_TIMEOUT_MS = 30_000;
/** Attempts of calls that wait on the server's side, whose own limit is about a minute. */
const LONG_POLL_TIMEOUT_MS = 70_000;

const LONG_POLLS: ReadonlySet<string> = new Set([
  'ExecuteMultiOperation',
  'GetWorkflowExecutionHistory',
  'PollActivityExecution',
  'PollActivityTaskQueue',
  'PollNexusTaskQueue',
  'PollWorkflowExecutionUpdate',
  'PollWorkflowTaskQueue',
  'QueryWorkflow',
  'UpdateWorkflowExecution',
]);

/** Calls of which a worker has made some more already: the next one goes with the answer to the task that the last one brought. */
const CAN_WAIT: ReadonlySet<string> = new Set(['PollActivityTaskQueue', 'PollWorkflowTaskQueue']);

/** Calls to a server in test mode that last as long as the test wants to wait. */
const SLEEP_TIMEOUT_MS = 24 * 3_600_000;
const SLEEPS: ReadonlySet<string> = new Set(['Sleep', 'SleepUntil', 'UnlockTimeSkippingWithSleep']);

/** What all calls of a connection share. */
export interface RpcEnvironment {
  channel: Channel;
  /** Metadata that belongs to the connection; the same object as long as nothing in it changes. */
  metadata(): Metadata;
  retry: GrpcRetryOptions;
}

/** A method of a service, with the codecs of its messages. */
export interface RpcMethod {
  path: string;
  timeoutMs: number;
  /** Whether the call waits on the server's side. */
  isLongPoll: boolean;
  /** Whether the call may wait a moment before it leaves. */
  canWait: boolean;
  request: Type;
  response: Type;
}

export function rpcMethod(serviceName: string, method: Method): RpcMethod {
  method.resolve();
  const isLongPoll = LONG_POLLS.has(method.name);
  return {
    path: `/${serviceName}/${method.name}`,
    timeoutMs: isLongPoll ? LONG_POLL_TIMEOUT_MS : SLEEPS.has(method.name) ? SLEEP_TIMEOUT_MS : CALL_TIMEOUT_MS,
    isLongPoll,
    canWait: CAN_WAIT.has(method.name),
    request: method.resolvedRequestType!,
    response: method.resolvedResponseType!,
  };
}

/** A call with all that its attempts share. */
interface Call {
  env: RpcEnvironment;
  method: RpcMethod;
  bytes: Uint8Array;
  namespace: string | undefined;
  context: CallContext | undefined;
  retry: GrpcRetryOptions;
  /** When the caller gives up, milliseconds since the epoch. */
  deadline: number;
}

/**
 * Makes a call, with attempts until one succeeds, the retry rules say no, or the context's deadline or signal ends it.
 * @param encoded The request's bytes, where they are known already.
 */
export function callRpc(
  env: RpcEnvironment,
  method: RpcMethod,
  request: object,
  context: CallContext | undefined,
  retry: GrpcRetryOptions = env.retry,
  encoded?: Uint8Array,
): Promise<object> {
  let bytes: Uint8Array;
  try {
    bytes = encoded ?? method.request.encode(request).finish();
  } catch (err) {
    return Promise.reject(err);
  }
  const deadline = context?.deadline === undefined ? Number.POSITIVE_INFINITY : Number(context.deadline);
  const { namespace } = request as { namespace?: string };
  const call: Call = { env, method, bytes, namespace, context, retry, deadline };
  // Nearly all calls succeed at once: the loop begins where one does not, so that the others need not pay for it.
  return attemptCall(call).then(
    (response) => method.response.decode(response),
    (err) => retryCall(call, err),
  );
}

function attemptCall({ env, method, bytes, namespace, context, deadline }: Call): Promise<Uint8Array> {
  const timeoutMs = deadline === Number.POSITIVE_INFINITY ? method.timeoutMs : Math.min(method.timeoutMs, deadline - Date.now());
  if (timeoutMs <= 0) return Promise.reject(new GrpcError(status.DEADLINE_EXCEEDED, 'Deadline exceeded before the call was made', new GrpcMetadata()));
  return env.channel.unary({
    path: method.path,
    request: bytes,
    metadata: env.metadata(),
    extraMetadata: context?.metadata,
    namespace,
    timeoutMs,
    signal: context?.abortSignal,
    canWait: method.canWait,
  });
}

/** Goes on after an attempt that failed. */
async function retryCall(call: Call, err: unknown): Promise<object> {
  const { method, context, retry, deadline } = call;
  for (let attempt = 1; ; attempt++) {
    if (!(err instanceof GrpcError)) throw err;
    const failed = attemptTimedOut(err, deadline)
      ? new GrpcError(status.UNAVAILABLE, `No answer within ${method.timeoutMs} ms`, err.metadata, { cause: err })
      : err;
    // Who waits at the server for something to happen goes on waiting, however often the connection breaks.
    if (failed.connectionLost && method.isLongPoll && retry !== NO_RETRY) attempt = 1;
    if (!retry.retryableDecider(attempt, failed)) throw failed;
    const delayMs = retryHintMs(failed) ?? retry.delayFunction(attempt, failed);
    if (Date.now() + delayMs >= deadline) throw failed;
    await pause(delayMs, context?.abortSignal, failed);
    let response: Uint8Array;
    try {
      response = await attemptCall(call);
    } catch (next) {
      err = next;
      continue;
    }
    return method.response.decode(response);
  }
}

/** The attempt's own limit was reached, not the caller's deadline: the answer was lost, and the call may be made again. */
function attemptTimedOut(err: GrpcError, deadline: number): boolean {
  return err.code === status.DEADLINE_EXCEEDED && Date.now() < deadline - 1 && deadline - Date.now() > 0;
}

/** A server under load says how long to stay away. */
function retryHintMs(err: GrpcError): number | undefined {
  const hint = Number(err.metadata.get('grpc-retry-pushback-ms')[0] ?? Number.NaN);
  return Number.isFinite(hint) && hint >= 0 ? hint : undefined;
}

/** Waits, unless `signal` aborts first: then the call ends with CANCELLED. */
function pause(ms: number, signal: AbortSignal | undefined, failed: GrpcError): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(new GrpcError(status.CANCELLED, 'Cancelled on client', failed.metadata, { cause: failed }));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
