/** A user's data converter: which files hold its converters, and which codecs run. */
import type { PayloadCodec } from './codec.js';
import type { FailureConverter } from './failure-converter.js';
import { defaultFailureConverter } from './failure-converter.js';
import type { PayloadConverter } from './payload-converter.js';
import { defaultPayloadConverter } from './payload-converter.js';

/**
 * How values become payloads. The same one belongs to the client and to the workers. Converters are given as files,
 * because they are also bundled with the workflow code.
 */
export interface DataConverter {
  /** Absolute path (or file URL) of a module that exports `payloadConverter`. Default: undefined, bytes and JSON. */
  payloadConverterPath?: string;
  /** Absolute path (or file URL) of a module that exports `failureConverter`. */
  failureConverterPath?: string;
  /** Run in this order on what leaves, in the opposite order on what comes. */
  payloadCodecs?: PayloadCodec[];
}

/** A data converter whose files are loaded. */
export interface LoadedDataConverter {
  /** From {@link DataConverter.payloadConverterPath}, or the default one. */
  payloadConverter: PayloadConverter;
  /** From {@link DataConverter.failureConverterPath}, or the default one. */
  failureConverter: FailureConverter;
  /** Empty for none. */
  payloadCodecs: PayloadCodec[];
}

/** JSON for values, messages and stacks of errors as they are, no codec. */
export const defaultDataConverter: LoadedDataConverter = {
  payloadConverter: defaultPayloadConverter,
  failureConverter: defaultFailureConverter,
  payloadCodecs: [],
};

export function isLoadedDataConverter(converter?: DataConverter | LoadedDataConverter): converter is LoadedDataConverter {
  return converter !== undefined && 'payloadConverter' in converter;
}
