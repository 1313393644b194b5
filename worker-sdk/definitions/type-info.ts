/** Optional type information that a caller attaches to values, so that a payload converter can rebuild rich types. */

declare const valueType: unique symbol;

/** Tells a payload converter which of its strategies to use for a value. */
export interface ConverterHint<T = unknown> {
  converter: string;
  [valueType]?: T;
}

/** Turns a rich value into the plain one that is serialized, and back. */
export interface TransferTypeConverter<T, D = unknown> {
  fromTransferType(value: D): T;
  toTransferType(value: T): D;
}

/** How one value is converted. */
export interface TypeInfo<T = unknown, D = T> {
  transferTypeConverter?: TransferTypeConverter<T, D>;
  payloadConverterHint?: ConverterHint<D>;
}

/** How the arguments and the result of a workflow, activity, query or update are converted. */
export interface PayloadTypeInfo {
  inputTypes?: readonly TypeInfo[];
  outputType?: TypeInfo;
}

/** How the arguments of a signal are converted. */
export type SignalTypeInfo = Pick<PayloadTypeInfo, 'inputTypes'>;
