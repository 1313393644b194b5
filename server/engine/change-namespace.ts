/** UpdateNamespace, DeprecateNamespace and DeleteNamespace. */
import { enums, type temporal } from '../core/api.js';
import { failedPrecondition, invalidArgument, namespaceNotFound } from '../core/errors.js';
import { isUuid } from '../core/validate/execution.js';
import { requireNamespaceName, retentionOf, validateUpdateNamespace } from '../core/validate/namespace.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';
import { namespaceAnswer } from './namespace-calls.js';
import { SYSTEM_NAMESPACE } from './namespace-registry.js';

type UpdateRequest = temporal.api.workflowservice.v1.IUpdateNamespaceRequest;
type UpdateResponse = temporal.api.workflowservice.v1.IUpdateNamespaceResponse;
type DeprecateRequest = temporal.api.workflowservice.v1.IDeprecateNamespaceRequest;
type DeleteRequest = temporal.api.operatorservice.v1.IDeleteNamespaceRequest;
type DeleteResponse = temporal.api.operatorservice.v1.IDeleteNamespaceResponse;

const STATE = enums.NamespaceState;

/** The namespace as the database holds it now. */
async function readFresh(engine: Engine, name: string): Promise<Namespace> {
  const namespace = await engine.namespaces.byName(name);
  if (!namespace || namespace.state === STATE.NAMESPACE_STATE_DELETED) throw namespaceNotFound(name);
  return namespace;
}

async function readFreshById(engine: Engine, id: string): Promise<Namespace> {
  const namespace = isUuid(id) ? await engine.namespaces.byId(id) : undefined;
  if (!namespace || namespace.state === STATE.NAMESPACE_STATE_DELETED) throw namespaceNotFound(id);
  if (namespace.name === SYSTEM_NAMESPACE) throw failedPrecondition('unable to delete system namespace');
  return namespace;
}

async function change(engine: Engine, { id, name }: Namespace, edit: (current: Namespace) => Namespace): Promise<Namespace> {
  const changed = await engine.namespaces.change(id, engine.clock.now(), edit);
  engine.registry.forgetAll();
  engine.notify({ kind: 'namespaces' });
  if (!changed) throw namespaceNotFound(name);
  return changed;
}

export async function updateNamespace(engine: Engine, request: UpdateRequest, _call: Call): Promise<UpdateResponse> {
  validateUpdateNamespace(request, engine.limits.idLengthMax);
  const namespace = await readFresh(engine, request.namespace!);
  const { updateInfo: info, config } = request;
  const updated = await change(engine, namespace, (current) => ({
    ...current,
    description: info?.description || current.description,
    ownerEmail: info?.ownerEmail || current.ownerEmail,
    data: { ...current.data, ...info?.data },
    state: info?.state || current.state,
    retentionMs: config?.workflowExecutionRetentionTtl ? retentionOf(config.workflowExecutionRetentionTtl) : current.retentionMs,
  }));
  const { namespaceInfo, config: written, replicationConfig, isGlobalNamespace } = namespaceAnswer(updated);
  return { namespaceInfo, config: written, replicationConfig, isGlobalNamespace };
}

/** A deprecated namespace takes no new runs; those that are open go on. */
export async function deprecateNamespace(engine: Engine, request: DeprecateRequest, _call: Call): Promise<object> {
  const namespace = await readFresh(engine, requireNamespaceName(request.namespace, engine.limits.idLengthMax));
  await change(engine, namespace, (current) => ({ ...current, state: STATE.NAMESPACE_STATE_DEPRECATED }));
  return {};
}

/** The name is free at once; the data goes in the background. */
export async function deleteNamespace(engine: Engine, request: DeleteRequest, _call: Call): Promise<DeleteResponse> {
  const { namespace: name, namespaceId } = request;
  if (name === SYSTEM_NAMESPACE) throw failedPrecondition('unable to delete system namespace');
  if (name && namespaceId) throw invalidArgument('Only one of namespace name or Id should be set on request.');
  const namespace = namespaceId
    ? await readFreshById(engine, namespaceId)
    : await readFresh(engine, requireNamespaceName(name, engine.limits.idLengthMax));
  const deletedNamespace = `${namespace.name}-deleted-${engine.ids.newId().slice(0, 5)}`;
  await change(engine, namespace, (current) => ({ ...current, name: deletedNamespace, state: STATE.NAMESPACE_STATE_DELETED }));
  engine.sweepSoon();
  return { deletedNamespace };
}
