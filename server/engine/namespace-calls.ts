/** Namespaces by RPC: register, describe, list. */
import { enums, fromDuration, type temporal, toDuration } from '../core/api.js';
import { detail, invalidArgument, namespaceNotFound, notFound, ServiceError } from '../core/errors.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';

type RegisterRequest = temporal.api.workflowservice.v1.IRegisterNamespaceRequest;
type DescribeRequest = temporal.api.workflowservice.v1.IDescribeNamespaceRequest;
type DescribeResponse = temporal.api.workflowservice.v1.IDescribeNamespaceResponse;
type ListRequest = temporal.api.workflowservice.v1.IListNamespacesRequest;

const STATE = enums.NamespaceState;
const RETENTION_MIN_MS = 3_600_000;
const PAGE = 1000;

export async function registerNamespace(engine: Engine, request: RegisterRequest, _call: Call): Promise<object> {
  const name = request.namespace ?? '';
  if (!name) throw invalidArgument('Namespace not set on request.');
  const retentionMs = fromDuration(request.workflowExecutionRetentionPeriod);
  if (retentionMs < RETENTION_MIN_MS) throw invalidArgument('A minimum retention of 1h0m0s is required for a namespace.');
  await addNamespace(engine, { name, retentionMs, description: request.description ?? '', ownerEmail: request.ownerEmail ?? '', data: { ...request.data } });
  return {};
}

export async function addNamespace(engine: Engine, n: Pick<Namespace, 'name' | 'retentionMs' | 'description' | 'ownerEmail' | 'data'>): Promise<void> {
  const added = await engine.namespaces.insert({
    ...n,
    id: engine.ids.newId(),
    state: STATE.NAMESPACE_STATE_REGISTERED,
    settings: {},
    searchAttributes: {},
    createdMs: engine.clock.now(),
  });
  if (!added) throw new ServiceError('ALREADY_EXISTS', 'Namespace already exists.', [detail('NamespaceAlreadyExistsFailure')]);
  engine.registry.forgetAll();
  engine.notify({ kind: 'namespaces' });
}

export async function describeNamespace(engine: Engine, request: DescribeRequest, _call: Call): Promise<DescribeResponse> {
  if (!request.namespace && !request.id) throw invalidArgument('Namespace not set on request.');
  const namespace = request.id ? await engine.registry.byId(request.id) : await engine.registry.find(request.namespace!);
  if (!namespace) throw request.namespace ? namespaceNotFound(request.namespace) : notFound(`Namespace id ${request.id} is not found.`);
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
      capabilities: {},
      limits: {},
    },
    config: { workflowExecutionRetentionTtl: toDuration(n.retentionMs) },
    replicationConfig: { activeClusterName: 'active', clusters: [{ clusterName: 'active' }] },
    isGlobalNamespace: false,
  };
}

export async function listNamespaces(engine: Engine, request: ListRequest, _call: Call): Promise<object> {
  const all = (await engine.namespaces.all()).filter((n) => n.state !== STATE.NAMESPACE_STATE_DELETED || request.namespaceFilter?.includeDeleted);
  const after = request.nextPageToken?.length ? Buffer.from(request.nextPageToken).toString('utf8') : '';
  const rest = all.filter((n) => n.name > after);
  const size = request.pageSize && request.pageSize > 0 ? Math.min(request.pageSize, PAGE) : PAGE;
  const page = rest.slice(0, size);
  const more = rest.length > page.length;
  return { namespaces: page.map(namespaceAnswer), nextPageToken: more ? Buffer.from(page[page.length - 1]!.name, 'utf8') : undefined };
}
