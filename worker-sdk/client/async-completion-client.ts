/** The client that completes activities from outside of their worker. */
import { status } from '@grpc/grpc-js';
import { encodeErrorToFailure, encodeToPayload, encodeToPayloads } from '../payload/conversion.js';
import type { TypeInfo } from '../definitions/type-info.js';
import { ensureTemporalFailure } from '../payload/failure.js';
import type { ActivitySerializationContext } from '../payload/serialization-context.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import type { BaseClientOptions, LoadedWithDefaults } from './base-client.js';
import { BaseClient } from './base-client.js';
import {
  ActivityCancelledError,
  ActivityCompletionError,
  ActivityNotFoundError,
  ActivityPausedError,
  ActivityResetError,
  rethrowKnownErrorTypes,
} from './errors.js';

/** Options of {@link AsyncCompletionClient}. */
export type AsyncCompletionClientOptions = BaseClientOptions;
/** {@link AsyncCompletionClientOptions} with defaults filled in. */
export type LoadedAsyncCompletionClientOptions = LoadedWithDefaults<AsyncCompletionClientOptions>;

/** Names an activity of a workflow. */
export interface FullActivityId {
  /** The workflow that called it. */
  workflowId?: string;
  /** Default: the latest run. */
  runId?: string;
  /** As in the activity's `Info`, or as its options said. */
  activityId: string;
}

/** Options of calls by task token, which does not say whose activity it is. */
export interface AsyncCompletionOperationOptions {
  /** Handed to converters and codecs. */
  serializationContext?: ActivitySerializationContext;
}

/** Options of {@link AsyncCompletionClient.complete}. */
export interface AsyncCompletionCompleteOptions extends AsyncCompletionOperationOptions {
  /** How the result is converted, as its `outputType`. */
  typeInfo?: { outputType?: TypeInfo };
}

/** An activity by the token of its attempt, or by name. */
type ActivityRef = Uint8Array | FullActivityId;

/**
 * Completes, fails and heartbeats activities whose function threw CompleteAsyncError. Reached as {@link Client.activity}.
 *
 * @example
 * await client.activity.complete(taskToken, { approved: true });
 */
export class AsyncCompletionClient extends BaseClient {
  /** As given, with defaults. */
  readonly options: LoadedAsyncCompletionClientOptions;

  constructor(options: AsyncCompletionClientOptions = {}) {
    super(options);
    this.options = { ...this.baseOptions(), dataConverter: options.dataConverter ?? {} };
  }

  /**
   * Completes an activity.
   * @throws ActivityNotFoundError when it is not open; ActivityCompletionError.
   */
  async complete(activity: ActivityRef, result: unknown, options: AsyncCompletionCompleteOptions = {}): Promise<void> {
    const payload = await encodeToPayload(this.dataConverter, result, this.contextOf(activity, options), options.typeInfo?.outputType);
    const base = { ...this.caller, result: { payloads: [payload] } };
    await this.send(() =>
      activity instanceof Uint8Array
        ? this.workflowService.respondActivityTaskCompleted({ ...base, taskToken: activity })
        : this.workflowService.respondActivityTaskCompletedById({ ...base, ...activity }),
    );
  }

  /** Fails an activity; its retry policy decides what follows. */
  async fail(activity: ActivityRef, err: unknown, options: AsyncCompletionOperationOptions = {}): Promise<void> {
    const failure = await encodeErrorToFailure(this.dataConverter, ensureTemporalFailure(err), this.contextOf(activity, options));
    const base = { ...this.caller, failure };
    await this.send(() =>
      activity instanceof Uint8Array
        ? this.workflowService.respondActivityTaskFailed({ ...base, taskToken: activity })
        : this.workflowService.respondActivityTaskFailedById({ ...base, ...activity }),
    );
  }

  /** Reports that an activity whose cancellation was requested is cancelled. */
  async reportCancellation(activity: ActivityRef, details?: unknown, options: AsyncCompletionOperationOptions = {}): Promise<void> {
    const base = { ...this.caller, details: await this.details(activity, details, options) };
    await this.send(() =>
      activity instanceof Uint8Array
        ? this.workflowService.respondActivityTaskCanceled({ ...base, taskToken: activity })
        : this.workflowService.respondActivityTaskCanceledById({ ...base, ...activity }),
    );
  }

  /**
   * Heartbeats an activity.
   * @throws ActivityCancelledError, ActivityPausedError or ActivityResetError when the server asks for that.
   */
  async heartbeat(activity: ActivityRef, details?: unknown, options: AsyncCompletionOperationOptions = {}): Promise<void> {
    const base = { ...this.caller, details: await this.details(activity, details, options) };
    const answer = await this.send(() =>
      activity instanceof Uint8Array
        ? this.workflowService.recordActivityTaskHeartbeat({ ...base, taskToken: activity })
        : this.workflowService.recordActivityTaskHeartbeatById({ ...base, ...activity }),
    );
    if (answer.cancelRequested) throw new ActivityCancelledError('cancelled');
    if (answer.activityReset) throw new ActivityResetError('reset');
    if (answer.activityPaused) throw new ActivityPausedError('paused');
  }

  private get caller(): { namespace: string; identity: string } {
    return { namespace: this.namespace, identity: this.identity };
  }

  private contextOf(activity: ActivityRef, options: AsyncCompletionOperationOptions): ActivitySerializationContext | undefined {
    if (activity instanceof Uint8Array) return options.serializationContext;
    const { activityId, workflowId } = activity;
    return { type: 'activity', namespace: this.namespace, activityId, workflowId, isLocal: false };
  }

  private async details(activity: ActivityRef, details: unknown, options: AsyncCompletionOperationOptions) {
    if (details === undefined) return undefined;
    return { payloads: await encodeToPayloads(this.dataConverter, [details], this.contextOf(activity, options)) };
  }

  private async send<R>(call: () => Promise<R>): Promise<R> {
    try {
      return await call();
    } catch (err) {
      if (!isGrpcServiceError(err)) throw new ActivityCompletionError('Unexpected failure', { cause: err });
      rethrowKnownErrorTypes(err);
      if (err.code === status.NOT_FOUND) throw new ActivityNotFoundError(err.details || 'Activity not found', { cause: err });
      throw new ActivityCompletionError(err.details || err.message, { cause: err });
    }
  }
}
