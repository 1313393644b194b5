/** Field masks: paths into a message, in the spelling of its `.proto` file. */

interface Field {
  resolve(): { resolvedType?: MessageType | object | null };
}

/** A message type of the API as its reflection shows it. */
export interface MessageType {
  fields: Record<string, Field>;
}

const isMessage = (type: unknown): type is MessageType => typeof type === 'object' && type !== null && 'fields' in type;

const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Whether a path leads to a field of the message, however deep. */
export function leadsToField(type: unknown, path: string): boolean {
  let at = type;
  for (const name of path.split('.')) {
    const field = isMessage(at) && !/[A-Z]/.test(name) ? at.fields[camel(name)] : undefined;
    if (!field) return false;
    at = field.resolve().resolvedType;
  }
  return true;
}
