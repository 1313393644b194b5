// UTF-8 and the metadata keys of payloads. Uses only what a workflow sandbox has: TextEncoder and TextDecoder.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Encodes text as UTF-8. */
export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes UTF-8; absent bytes are the empty text. */
export function decode(bytes: Uint8Array | null | undefined): string {
  return bytes ? decoder.decode(bytes) : '';
}

/** The metadata entry that says how a payload's data is encoded. */
export const METADATA_ENCODING_KEY = 'encoding';
/** The metadata entry that names the protobuf message type of a payload. */
export const METADATA_MESSAGE_TYPE_KEY = 'messageType';

/** The encodings that every SDK of the open API knows. */
export const encodingTypes = {
  METADATA_ENCODING_NULL: 'binary/null',
  METADATA_ENCODING_RAW: 'binary/plain',
  METADATA_ENCODING_JSON: 'json/plain',
  METADATA_ENCODING_PROTOBUF_JSON: 'json/protobuf',
  METADATA_ENCODING_PROTOBUF: 'binary/protobuf',
} as const;
/** Names of the encodings that come with the SDK. */
export type EncodingType = (typeof encodingTypes)[keyof typeof encodingTypes];

/** {@link encodingTypes} as UTF-8 bytes, the form in which they stand in metadata. */
export const encodingKeys = {
  METADATA_ENCODING_NULL: encode(encodingTypes.METADATA_ENCODING_NULL),
  METADATA_ENCODING_RAW: encode(encodingTypes.METADATA_ENCODING_RAW),
  METADATA_ENCODING_JSON: encode(encodingTypes.METADATA_ENCODING_JSON),
  METADATA_ENCODING_PROTOBUF_JSON: encode(encodingTypes.METADATA_ENCODING_PROTOBUF_JSON),
  METADATA_ENCODING_PROTOBUF: encode(encodingTypes.METADATA_ENCODING_PROTOBUF),
} as const;
