// The types that payload conversion is made of. Types only: nothing here exists at run time.
import type { temporal } from '@temporalio/proto';

/** One value on the wire: bytes, and metadata that says how they are encoded. */
export type Payload = temporal.api.common.v1.IPayload;
/** The wire form of an error. */
export type ProtoFailure = temporal.api.failure.v1.IFailure;
/** A workflow id and, where known, a run id. */
export type WorkflowExecution = temporal.api.common.v1.IWorkflowExecution;

/** Names the workflow whose payload is converted. For a child or an external workflow it is that one. */
export interface WorkflowSerializationContext {
  type: 'workflow';
  namespace: string;
  workflowId: string;
}

/** Names the activity whose payload is converted. */
export interface ActivitySerializationContext {
  type: 'activity';
  namespace: string;
  activityId?: string;
  /** The workflow that scheduled the activity, where known. */
  workflowId?: string;
  isLocal: boolean;
}

/** Whose payload is being converted; given to payload converters, failure converters and codecs. */
export type SerializationContext = WorkflowSerializationContext | ActivitySerializationContext;

declare const valueTypeBrand: unique symbol;

/** Metadata for one payload converter; extend it to define what yours understands. */
export interface ConverterHint<T = unknown> {
  /** Names the converter that the hint is for. */
  converter: string;
  [valueTypeBrand]?: T;
}

/** Converts between an application's value and a plain form that any payload converter can encode. */
export interface TransferTypeConverter<T, D = unknown> {
  fromTransferType(value: D): T;
  toTransferType(value: T): D;
}

/** How a value of type `T` is adapted for payload conversion. */
export interface TypeInfo<T = unknown, D = T> {
  transferTypeConverter?: TransferTypeConverter<T, D>;
  payloadConverterHint?: ConverterHint<D>;
}

/** Type information for the arguments and the result of a call. */
export interface PayloadTypeInfo {
  inputTypes?: readonly TypeInfo[];
  outputType?: TypeInfo;
}
