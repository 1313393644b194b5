/** Namespaces by RPC: register, describe, list. */
import { enums, type temporal, toDuration } from '../core/api.js';
import { detail, namespaceNotFound, ServiceError } from '../core/errors.js';
import { CLUSTER_NAME, requireNamespaceName, retentionOf, validateRegisterNamespace } from '../core/validate/namespace.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import { NAMESPACE_CAPABILITIES, NAMESPACE_LIMITS } from './capabilities.js';
import type { Engine } from './engine.js';
import { SYSTEM_NAMESPACE } from './namespace-registry.js';

type RegisterRequest = temporal.api.workflowservice.v1.IRegisterNamespaceRequest;
type DescribeRequest = temporal.api.workflowservice.v1.IDescribeNamespaceRequest;
type DescribeResponse = temporal.api.workflowservice.v1.IDescribeNamespaceResponse;
type ListRequest = temporal.api.workflowservice.v1.IListNamespacesRequest;

const STATE = enums.NamespaceState;
const PAGE = 1000;

export async function registerNamespace(engine: Engine, request: RegisterRequest, _call: Call): Promise<object> {
  validateRegisterNamespace(request, engine.limits.idLengthMax);
  const name = request.namespace ?? '';
  const retentionMs = retentionOf(request.workflowExecutionRetentionPeriod);
  await addNamespace(engine, {
    name,
    retentionMs,
    description: request.description ?? '',
    ownerEmail: request.ownerEmail ?? '',
    data: { ...request.data },
  });
  return {};
}

export async function addNamespace(
  engine: Engine,
  n: Pick<Namespace, 'name' | 'retentionMs' | 'description' | 'ownerEmail' | 'data'>,
): Promise<void> {
  const added =
    n.name !== SYSTEM_NAMESPACE &&
    (await engine.namespaces.insert({
      ...n,
      id: engine.ids.newId(),
      state: STATE.NAMESPACE_STATE_REGISTERED,
      settings: {},
      searchAttributes: {},
      createdMs: engine.clock.now(),
    }));
  if (!added) throw new ServiceError('ALREADY_EXISTS', `Namespace "${n.name}" already exists`, [detail('NamespaceAlreadyExistsFailure')]);
  engine.registry.forgetAll();
  engine.notify({ kind: 'namespaces' });
}

export async function describeNamespace(engine: Engine, request: DescribeRequest, _call: Call): Promise<DescribeResponse> {
  const asked = request.id || requireNamespaceName(request.namespace, engine.limits.idLengthMax);
  const namespace = request.id ? await engine.registry.byId(request.id) : await engine.registry.find(asked);
  if (!namespace) throw namespaceNotFound(asked);
  return namespaceAnswer(namespace);
}

export function namespaceAnswer(n: Namespace): DescribeResponse {
  return {
    namespaceInfo: {
      name: n.name,
      id: n.id,
      state: n.state,
      description: n.description,
      ownerEmail: n.ownerEmail,
      data: n.data,
      capabilities: NAMESPACE_CAPABILITIES,
      limits: NAMESPACE_LIMITS,
    },
    config: {
      workflowExecutionRetentionTtl: toDuration(n.retentionMs),
      badBinaries: {},
      historyArchivalState: enums.ArchivalState.ARCHIVAL_STATE_DISABLED,
      visibilityArchivalState: enums.ArchivalState.ARCHIVAL_STATE_DISABLED,
    },
    replicationConfig: {
      activeClusterName: CLUSTER_NAME,
      clusters: [{ clusterName: CLUSTER_NAME }],
      state: enums.ReplicationState.REPLICATION_STATE_NORMAL,
    },
    isGlobalNamespace: false,
  };
}

export async function listNamespaces(engine: Engine, request: ListRequest, _call: Call): Promise<object> {
  const all = (await engine.namespaces.all()).filter(
    (n) => n.state !== STATE.NAMESPACE_STATE_DELETED || request.namespaceFilter?.includeDeleted,
  );
  const after = request.nextPageToken?.length ? Buffer.from(request.nextPageToken).toString('utf8') : '';
  const rest = all.filter((n) => n.name > after);
  const size = request.pageSize && request.pageSize > 0 ? Math.min(request.pageSize, PAGE) : PAGE;
  const page = rest.slice(0, size);
  const more = rest.length > page.length;
  return { namespaces: page.map(namespaceAnswer), nextPageToken: more ? Buffer.from(page[page.length - 1]!.name, 'utf8') : undefined };
}
