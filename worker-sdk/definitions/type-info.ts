/** Optional type information that a caller attaches to values, so that a payload converter can rebuild rich types. */

declare const valueType: unique symbol;

/** Tells a payload converter which of its strategies to use for a value. */
export interface ConverterHint<T = unknown> {
  /** A name that the payload converter knows: `validateConverterHint` says which. */
  converter: string;
  [valueType]?: T;
}

/** Turns a rich value into the plain one that is serialized, and back. */
export interface TransferTypeConverter<T, D = unknown> {
  /** The rich value of a plain one, after the payload converter. */
  fromTransferType(value: D): T;
  /** The plain value of a rich one, before the payload converter. */
  toTransferType(value: T): D;
}

/** How one value is converted. */
export interface TypeInfo<T = unknown, D = T> {
  /** Default: the value is converted as it is. */
  transferTypeConverter?: TransferTypeConverter<T, D>;
  /** Default: the payload converter decides by the value. */
  payloadConverterHint?: ConverterHint<D>;
}

/** How the arguments and the result of a workflow, activity, query or update are converted. */
export interface PayloadTypeInfo {
  /** By the arguments' places; those beyond its end are converted as they are. */
  inputTypes?: readonly TypeInfo[];
  /** Default: the result is converted as it is. */
  outputType?: TypeInfo;
}

/** How the arguments of a signal are converted. */
export type SignalTypeInfo = Pick<PayloadTypeInfo, 'inputTypes'>;
