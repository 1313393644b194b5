/**
 * The namespace of a request, looked at before anything else of it: whoever names none, or one that is not there, is told so,
 * whatever else may be wrong.
 */
import { requireNamespace } from '../core/validate/namespace.js';
import type { Engine } from './engine.js';

/** Methods that are about a namespace: what they say of its name is their own. */
const ABOUT_NAMESPACES = new Set(['RegisterNamespace', 'DescribeNamespace', 'UpdateNamespace', 'DeprecateNamespace', 'DeleteNamespace']);

/** Methods that may go without: they are then about all namespaces, or say what they miss themselves. */
const NAMESPACE_OPTIONAL = new Set(['AddSearchAttributes', 'RemoveSearchAttributes', 'ListSearchAttributes']);

interface Namespaced {
  readonly namespace?: string | null;
}

const hasField = (request: object, field: string): boolean => field in request;

/** Throws INVALID_ARGUMENT or NOT_FOUND; undefined when there is nothing to wait for. A worker's answer may leave the namespace out: its task token has it. */
export function admitNamespace({ registry, limits }: Engine, method: string, request: object): Promise<unknown> | undefined {
  if (!hasField(request, 'namespace') || ABOUT_NAMESPACES.has(method)) return undefined;
  const { namespace } = request as Namespaced;
  if (namespace) return registry.known(namespace) ? undefined : registry.require(namespace);
  if (!hasField(request, 'taskToken') && !NAMESPACE_OPTIONAL.has(method)) requireNamespace(namespace, limits.idLengthMax);
  return undefined;
}
