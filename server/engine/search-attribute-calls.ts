/** Custom search attributes of a namespace: add, remove, list. */
import { enums, type temporal } from '../core/api.js';
import { invalidArgument } from '../core/errors.js';
import { isReservedAttribute, PREDEFINED_ATTRIBUTES, SYSTEM_ATTRIBUTES } from '../core/search-attribute-names.js';
import { refuse } from '../core/validate/problem.js';
import { attributeNameProblem } from '../core/validate/search-attributes.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';

type AddRequest = temporal.api.operatorservice.v1.IAddSearchAttributesRequest;
type RemoveRequest = temporal.api.operatorservice.v1.IRemoveSearchAttributesRequest;
type ListRequest = temporal.api.operatorservice.v1.IListSearchAttributesRequest;

export async function addSearchAttributes(engine: Engine, request: AddRequest, _call: Call): Promise<object> {
  const asked = request.searchAttributes ?? {};
  if (Object.keys(asked).length === 0) throw invalidArgument('SearchAttributes are not set on request.');
  await addAttributes(engine, await engine.registry.require(request.namespace), asked);
  return {};
}

/** Adds custom search attributes (name -> IndexedValueType) to a namespace; those that it has already stay as they are. */
export async function addAttributes(engine: Engine, namespace: Namespace, asked: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, type] of Object.entries(asked)) {
    if (isReservedAttribute(name)) throw invalidArgument(`Search attribute ${name} is reserved by system.`);
    refuse(attributeNameProblem(name));
    if (!type || enums.IndexedValueType[type] === undefined) throw invalidArgument(`Unable to parse search attribute type: ${type}.`);
  }
  await change(engine, namespace, (present) => {
    for (const [name, type] of Object.entries(asked)) {
      if (Object.hasOwn(present, name) && present[name] !== type)
        throw invalidArgument(`Search attribute ${name} already exists with another type.`);
    }
    return { ...present, ...asked };
  });
}

export async function removeSearchAttributes(engine: Engine, request: RemoveRequest, _call: Call): Promise<object> {
  const names = request.searchAttributes ?? [];
  if (names.length === 0) throw invalidArgument('SearchAttributes are not set on request.');
  const namespace = await engine.registry.require(request.namespace);
  const reserved = names.find(isReservedAttribute);
  if (reserved !== undefined) throw invalidArgument(`Unable to remove non-custom search attributes: ${reserved}.`);
  await change(engine, namespace, (present) => Object.fromEntries(Object.entries(present).filter(([name]) => !names.includes(name))));
  return {};
}

export async function listSearchAttributes(engine: Engine, request: ListRequest, _call: Call): Promise<object> {
  const namespace = await engine.registry.require(request.namespace);
  return {
    customAttributes: namespace.searchAttributes,
    systemAttributes: Object.fromEntries([...SYSTEM_ATTRIBUTES, ...PREDEFINED_ATTRIBUTES]),
  };
}

type Attributes = Record<string, number>;

async function change(engine: Engine, { id }: Namespace, edit: (present: Attributes) => Attributes): Promise<void> {
  await engine.namespaces.change(id, engine.clock.now(), (n) => ({ ...n, searchAttributes: edit(n.searchAttributes) }));
  engine.registry.forgetAll();
  engine.notify({ kind: 'namespaces' });
}
