/** Summary and details for people, attached to commands. */
import type { PayloadConverter } from '../payload/payload-converter.js';
import { convertOptionalToPayload } from '../payload/payload-converter.js';
import type { SerializationContext } from '../payload/serialization-context.js';
import type { UserMetadata } from '../replay/protocol.js';

export function userMetadata(
  converter: PayloadConverter,
  context: SerializationContext,
  summary: string | undefined,
  details?: string | undefined,
): UserMetadata | undefined {
  if (summary === undefined && details === undefined) return undefined;
  return { summary: convertOptionalToPayload(converter, summary, context), details: convertOptionalToPayload(converter, details, context) };
}
