/** A task token opens its own namespace only: a caller that names another is turned away. */
import { namespaceNotFound } from '../core/errors.js';
import { foreignToken } from '../core/validate/activity-answer.js';
import type { Namespace } from '../storage/namespaces.js';
import type { Engine } from './engine.js';

/** The namespace of a token. The name beside it may be left out. */
export async function requireTokenNamespace(engine: Engine, token: { ns: string }, name: string | null | undefined): Promise<Namespace> {
  const own = await engine.registry.byId(token.ns);
  if (!own) throw namespaceNotFound(token.ns);
  if (name && name !== own.name) throw foreignToken();
  return own;
}
