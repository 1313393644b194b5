/** Names that belong to the SDK. */

export const RESERVED_PREFIX = '__temporal_';
export const STACK_TRACE_QUERY = '__stack_trace';
export const ENHANCED_STACK_TRACE_QUERY = '__enhanced_stack_trace';
/** The signal that decides an approval request. */
export const APPROVAL_SIGNAL = 'perdure.approval.decision';
export const METADATA_QUERY = '__temporal_workflow_metadata';

/** Reserved names that extensions of the field's SDK register, each as one kind only. */
const EXTENSIONS = new Map<string, string>([
  ['__temporal_workflow_stream_publish', 'signal'],
  ['__temporal_workflow_stream_poll', 'update'],
  ['__temporal_workflow_stream_offset', 'query'],
  ['__temporal_openai_agents_tracing', 'sink'],
  ['__temporal_langsmith', 'sink'],
]);

/**
 * Refuses names that belong to the SDK.
 * @throws TypeError
 */
export function throwIfReservedName(kind: string, name: string): void {
  if (name.startsWith(RESERVED_PREFIX) && EXTENSIONS.get(name) !== kind) {
    throw new TypeError(`Cannot use ${kind} name: '${name}', with reserved prefix: '${RESERVED_PREFIX}'`);
  }
  if (name === STACK_TRACE_QUERY || name === ENHANCED_STACK_TRACE_QUERY) {
    throw new TypeError(`Cannot use ${kind} name: '${name}', which is a reserved name`);
  }
}

/** Whether a name is the SDK's own: interceptors do not see it. */
export function isReserved(name: string): boolean {
  return name.startsWith(RESERVED_PREFIX) || name === STACK_TRACE_QUERY || name === ENHANCED_STACK_TRACE_QUERY;
}

/** A reserved name must not reach a default handler. */
export function refuseForDefaultHandler(kind: string, name: string, hasOwnHandler: boolean, hasDefault: boolean): void {
  if (name.startsWith(RESERVED_PREFIX) && !hasOwnHandler && hasDefault) {
    throw new TypeError(`Cannot use ${kind} name: '${name}', with reserved prefix: '${RESERVED_PREFIX}'`);
  }
}
