/** Namespaces as requests name them, and what a new or changed one may look like. */
import { type Duration, enums, fromDuration, type temporal } from '../api.js';
import { detail, invalidArgument, ServiceError } from '../errors.js';
import { cappedMs, durationProblem } from './duration.js';
import { type Problem, refuse } from './problem.js';
import { exceeds, nulProblem } from './text-length.js';

/** The shortest time that closed runs are kept. */
const RETENTION_MIN_MS = 3600 * 1000;

/** The name of a namespace in a request that works inside it. */
export function requireNamespace(namespace: string | null | undefined, lengthMax: number): string {
  if (!namespace) throw invalidArgument('Namespace is empty.');
  return boundedNamespace(namespace, lengthMax);
}

/** The name of a namespace in a request that is about it: register, describe, update, deprecate, delete. */
export function requireNamespaceName(namespace: string | null | undefined, lengthMax: number): string {
  if (!namespace) throw invalidArgument('Namespace not set on request.');
  return boundedNamespace(namespace, lengthMax);
}

function boundedNamespace(namespace: string, lengthMax: number): string {
  if (exceeds(namespace, lengthMax)) throw invalidArgument('Namespace length exceeds limit.');
  refuse(nulProblem('Namespace', namespace));
  return namespace;
}

function retentionProblem(retention: Duration | null | undefined): Problem {
  if (durationProblem(retention) === undefined && fromDuration(retention) >= RETENTION_MIN_MS) return undefined;
  return 'A valid retention period is not set on request.';
}

/** How long closed runs are kept, in whole milliseconds. */
export const retentionOf = (retention: Duration | null | undefined): number => Math.ceil(cappedMs(retention));

/** The one cluster there is; its name is what clients of the open API expect to read back. */
export const CLUSTER_NAME = 'active';

function clusterProblem(names: ReadonlyArray<string | null | undefined>): Problem {
  const unknown = names.find((name) => name && name !== CLUSTER_NAME);
  return unknown ? `Invalid cluster name: ${unknown}` : undefined;
}

/** What a namespace says of itself; stored as it is. */
interface About {
  description?: string | null;
  ownerEmail?: string | null;
  data?: { [key: string]: string } | null;
}

const aboutProblem = ({ description, ownerEmail, data }: About): Problem =>
  nulProblem('Description', description ?? '') ??
  nulProblem('OwnerEmail', ownerEmail ?? '') ??
  nulProblem(
    'Data',
    Object.entries(data ?? {})
      .flat()
      .join(),
  );

export function validateRegisterNamespace(request: temporal.api.workflowservice.v1.IRegisterNamespaceRequest, lengthMax: number): void {
  requireNamespaceName(request.namespace, lengthMax);
  if (request.isGlobalNamespace) throw invalidArgument('Cannot register global namespace when not enabled');
  refuse(retentionProblem(request.workflowExecutionRetentionPeriod));
  refuse(clusterProblem([...(request.clusters ?? []).map((cluster) => cluster.clusterName), request.activeClusterName]));
  refuse(aboutProblem(request));
}

const { NAMESPACE_STATE_UNSPECIFIED, NAMESPACE_STATE_REGISTERED, NAMESPACE_STATE_DEPRECATED } = enums.NamespaceState;

/** What an update may set; a deleted namespace is made by DeleteNamespace alone, which takes its data with it. */
const SETTABLE_STATES = new Set<number>([NAMESPACE_STATE_UNSPECIFIED, NAMESPACE_STATE_REGISTERED, NAMESPACE_STATE_DEPRECATED]);

export function validateUpdateNamespace(request: temporal.api.workflowservice.v1.IUpdateNamespaceRequest, lengthMax: number): void {
  requireNamespaceName(request.namespace, lengthMax);
  if (request.config?.workflowExecutionRetentionTtl) refuse(retentionProblem(request.config.workflowExecutionRetentionTtl));
  const state = request.updateInfo?.state ?? 0;
  if (!SETTABLE_STATES.has(state)) throw invalidArgument(`A namespace can be set to Registered or Deprecated, not to state ${state}.`);
  refuse(aboutProblem(request.updateInfo ?? {}));
  const { replicationConfig } = request;
  refuse(
    clusterProblem([...(replicationConfig?.clusters ?? []).map((cluster) => cluster.clusterName), replicationConfig?.activeClusterName]),
  );
}

const STATES = new Map<number, string>([
  [enums.NamespaceState.NAMESPACE_STATE_REGISTERED, 'Registered'],
  [enums.NamespaceState.NAMESPACE_STATE_DEPRECATED, 'Deprecated'],
  [enums.NamespaceState.NAMESPACE_STATE_DELETED, 'Deleted'],
]);

/** Refuses work in a namespace whose state does not allow it: new runs need a registered one, all else a registered or deprecated one. */
export function requireNamespaceState(namespace: string, state: number, allowedStates: readonly number[]): void {
  if (allowedStates.includes(state)) return;
  const allowed = allowedStates.map((each) => STATES.get(each)).join(' or ');
  throw new ServiceError('FAILED_PRECONDITION', `Namespace has invalid state: ${STATES.get(state) ?? state}. Must be ${allowed}.`, [
    detail('NamespaceInvalidStateFailure', { namespace, state, allowedStates }),
  ]);
}
