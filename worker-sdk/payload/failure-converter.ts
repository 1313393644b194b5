// Between errors and the wire form of failures, as every SDK of the open API does it.
import type { ProtoFailure } from '../definitions/api.js';
import { int64, toNumber } from '../definitions/api.js';
import { msOptionalToTs } from '../definitions/duration.js';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  FAILURE_SOURCE,
  isError,
  NexusOperationFailure,
  ServerFailure,
  TemporalFailure,
  TerminatedFailure,
  TimeoutFailure,
} from './failure.js';
import {
  decodeApplicationFailureCategory,
  decodeRetryState,
  decodeTimeoutType,
  encodeApplicationFailureCategory,
  encodeRetryState,
  encodeTimeoutType,
  type RetryState,
  type TimeoutType,
} from './failure-enums.js';
import { arrayFromPayloads, fromPayloadsAtIndex, type PayloadConverter, toPayloadsWithContext } from './payload-converter.js';
import { cutoffStackTrace } from './stack-trace.js';
import type { SerializationContext } from './serialization-context.js';

/** Converts errors to failures and back. Prefer to configure {@link DefaultFailureConverter} over writing another. */
export interface FailureConverter {
  /** Converts a caught value. */
  errorToFailure(err: unknown, payloadConverter: PayloadConverter, context?: SerializationContext): ProtoFailure;
  /** Converts a failure; the error must be a {@link TemporalFailure}. */
  failureToError(err: ProtoFailure, payloadConverter: PayloadConverter, context?: SerializationContext): Error;
}

/** What {@link ProtoFailure.encodedAttributes} holds when common attributes are encoded. */
export interface DefaultEncodedFailureAttributes {
  /** In the open there is only `Encoded failure`. */
  message: string;
  /** In the open there is none. */
  stack_trace: string;
}

/** Options of {@link DefaultFailureConverter}. */
export interface DefaultFailureConverterOptions {
  /** Move message and stack trace into a payload, so that a codec can encrypt them. @default false */
  encodeCommonAttributes: boolean;
}

const NON_ERROR_HINT = ' [A value that is no Error was thrown. Throw Error objects: they carry a stack trace]';

/** The default, understood by all SDKs. */
export class DefaultFailureConverter implements FailureConverter {
  /** As given, with defaults. */
  readonly options: DefaultFailureConverterOptions;

  constructor(options?: Partial<DefaultFailureConverterOptions>) {
    this.options = { encodeCommonAttributes: options?.encodeCommonAttributes ?? false };
  }

  failureToError(wire: ProtoFailure, payloadConverter: PayloadConverter, context?: SerializationContext): Error {
    const failure = wire.encodedAttributes ? this.#withEncodedAttributes(wire, payloadConverter, context) : wire;
    const error = this.#makeError(failure, payloadConverter, context);
    error.stack = failure.stackTrace ?? '';
    error.failure = failure;
    return error;
  }

  errorToFailure(err: unknown, payloadConverter: PayloadConverter, context?: SerializationContext): ProtoFailure {
    const failure = this.#makeFailure(err, payloadConverter, context);
    if (!this.options.encodeCommonAttributes) return failure;
    return {
      ...failure,
      message: 'Encoded failure',
      stackTrace: '',
      encodedAttributes: payloadConverter.toPayload({ message: failure.message, stack_trace: failure.stackTrace }, context),
    };
  }

  /** {@link failureToError} of an optional failure. */
  optionalFailureToOptionalError(
    failure: ProtoFailure | null | undefined,
    payloadConverter: PayloadConverter,
    context?: SerializationContext,
  ): Error | undefined {
    return failure ? this.failureToError(failure, payloadConverter, context) : undefined;
  }

  /** {@link errorToFailure} of an optional error. */
  optionalErrorToOptionalFailure(
    err: unknown,
    payloadConverter: PayloadConverter,
    context?: SerializationContext,
  ): ProtoFailure | undefined {
    return err ? this.errorToFailure(err, payloadConverter, context) : undefined;
  }

  #withEncodedAttributes(failure: ProtoFailure, payloadConverter: PayloadConverter, context?: SerializationContext): ProtoFailure {
    const attributes = payloadConverter.fromPayload<Partial<DefaultEncodedFailureAttributes> | null>(failure.encodedAttributes!, context);
    if (typeof attributes !== 'object' || attributes === null) return failure;
    const decoded = { ...failure };
    if (typeof attributes.message === 'string') decoded.message = attributes.message;
    if (typeof attributes.stack_trace === 'string') decoded.stackTrace = attributes.stack_trace;
    return decoded;
  }

  #makeError(failure: ProtoFailure, converter: PayloadConverter, context?: SerializationContext): TemporalFailure {
    const message = failure.message ?? undefined;
    const cause = this.optionalFailureToOptionalError(failure.cause, converter, context);
    if (failure.applicationFailureInfo) {
      const { type, nonRetryable, details, category } = failure.applicationFailureInfo;
      const values = arrayFromPayloads(converter, details?.payloads, context);
      return new ApplicationFailure(
        message,
        type,
        Boolean(nonRetryable),
        values,
        cause,
        undefined,
        decodeApplicationFailureCategory(category),
      );
    }
    if (failure.serverFailureInfo) return new ServerFailure(message, Boolean(failure.serverFailureInfo.nonRetryable), cause);
    if (failure.timeoutFailureInfo) {
      const { lastHeartbeatDetails, timeoutType } = failure.timeoutFailureInfo;
      const heartbeat = fromPayloadsAtIndex(converter, 0, lastHeartbeatDetails?.payloads, context);
      return withCause(new TimeoutFailure(message, heartbeat, decodeTimeoutType(timeoutType) as TimeoutType), cause);
    }
    if (failure.terminatedFailureInfo) return new TerminatedFailure(message, cause);
    if (failure.canceledFailureInfo) {
      return new CancelledFailure(message, arrayFromPayloads(converter, failure.canceledFailureInfo.details?.payloads, context), cause);
    }
    if (failure.resetWorkflowFailureInfo) {
      const heartbeat = arrayFromPayloads(converter, failure.resetWorkflowFailureInfo.lastHeartbeatDetails?.payloads, context);
      return new ApplicationFailure(message, 'ResetWorkflow', false, heartbeat, cause);
    }
    return makeOperationError(failure, cause) ?? new TemporalFailure(message, cause);
  }

  #makeFailure(err: unknown, converter: PayloadConverter, context?: SerializationContext): ProtoFailure {
    if (err instanceof TemporalFailure) {
      if (err.failure) return err.failure;
      return { ...this.#common(err, converter, context), ...failureInfo(err, converter, context) };
    }
    if (isError(err)) return this.#common(err, converter, context);
    return { source: FAILURE_SOURCE, message: describeThrown(err) + NON_ERROR_HINT };
  }

  #common(err: Error, converter: PayloadConverter, context?: SerializationContext): ProtoFailure {
    return {
      source: FAILURE_SOURCE,
      message: String(err.message ?? ''),
      stackTrace: cutoffStackTrace(err.stack),
      cause: this.optionalErrorToOptionalFailure(err.cause, converter, context),
    };
  }
}

/** The errors of what a workflow called: an activity, a child, a Nexus operation. */
function makeOperationError(failure: ProtoFailure, cause: Error | undefined): TemporalFailure | undefined {
  const message = failure.message ?? undefined;
  if (failure.childWorkflowExecutionFailureInfo) {
    const { namespace, workflowType, workflowExecution, retryState } = failure.childWorkflowExecutionFailureInfo;
    const type = workflowType?.name ?? '';
    return new ChildWorkflowFailure(
      namespace ?? undefined,
      workflowExecution ?? {},
      type,
      decodeRetryState(retryState) as RetryState,
      cause,
    );
  }
  if (failure.activityFailureInfo) {
    const { activityType, activityId, retryState, identity } = failure.activityFailureInfo;
    const state = decodeRetryState(retryState) as RetryState;
    return new ActivityFailure(message, activityType?.name ?? '', activityId ?? undefined, state, identity ?? undefined, cause);
  }
  if (failure.nexusOperationExecutionFailureInfo) {
    const { scheduledEventId, endpoint, service, operation, operationToken } = failure.nexusOperationExecutionFailureInfo;
    const eventId = scheduledEventId ? toNumber(scheduledEventId) : undefined;
    return new NexusOperationFailure(message, eventId, endpoint ?? '', service ?? '', operation ?? '', operationToken ?? undefined, cause);
  }
  return undefined;
}

function failureInfo(err: TemporalFailure, converter: PayloadConverter, context?: SerializationContext): ProtoFailure {
  const payloads = (values: unknown[] | null | undefined) =>
    values?.length ? { payloads: toPayloadsWithContext(converter, context, values) } : undefined;
  if (err instanceof ActivityFailure) {
    const { activityType, activityId, retryState, identity } = err;
    return {
      activityFailureInfo: { activityType: { name: activityType }, activityId, retryState: encodeRetryState(retryState), identity },
    };
  }
  if (err instanceof ChildWorkflowFailure) {
    const { namespace, execution, workflowType, retryState } = err;
    return {
      childWorkflowExecutionFailureInfo: {
        namespace,
        workflowExecution: execution,
        workflowType: { name: workflowType },
        retryState: encodeRetryState(retryState),
      },
    };
  }
  if (err instanceof ApplicationFailure) {
    return {
      applicationFailureInfo: {
        type: err.type,
        nonRetryable: err.nonRetryable,
        details: payloads(err.details),
        nextRetryDelay: msOptionalToTs(err.nextRetryDelay),
        category: encodeApplicationFailureCategory(err.category),
      },
    };
  }
  if (err instanceof CancelledFailure) return { canceledFailureInfo: { details: payloads(err.details) } };
  if (err instanceof TimeoutFailure) {
    const lastHeartbeatDetails = err.lastHeartbeatDetails ? payloads([err.lastHeartbeatDetails]) : undefined;
    return { timeoutFailureInfo: { timeoutType: encodeTimeoutType(err.timeoutType), lastHeartbeatDetails } };
  }
  if (err instanceof ServerFailure) return { serverFailureInfo: { nonRetryable: err.nonRetryable } };
  if (err instanceof TerminatedFailure) return { terminatedFailureInfo: {} };
  if (err instanceof NexusOperationFailure) {
    const { endpoint, service, operation, operationToken, scheduledEventId } = err;
    return {
      nexusOperationExecutionFailureInfo: {
        endpoint,
        service,
        operation,
        operationToken,
        scheduledEventId: scheduledEventId === undefined ? undefined : int64(scheduledEventId),
      },
    };
  }
  return {};
}

function withCause<E extends Error>(error: E, cause: Error | undefined): E {
  if (cause) Object.assign(error, { cause });
  return error;
}

function describeThrown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}

/** The failure converter used when none is given: messages and stack traces stay readable. */
export const defaultFailureConverter: FailureConverter = new DefaultFailureConverter();
