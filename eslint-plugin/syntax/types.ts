/** Types of expressions, where the parser knows them (typescript-eslint with `projectService`). */
import type { SourceCode } from 'eslint';
import type * as ESTree from 'estree';

interface TypeLike {
  getProperty(name: string): unknown;
  isUnion?(): boolean;
  types?: readonly TypeLike[];
}
interface Services {
  program?: unknown;
  getTypeAtLocation?(node: ESTree.Node): TypeLike;
}

/** Whether an expression is a promise; `undefined` when the parser does not know types. */
export function isThenable(node: ESTree.Node, sourceCode: SourceCode): boolean | undefined {
  const services = sourceCode.parserServices as Services | undefined;
  if (!services?.program || !services.getTypeAtLocation) return undefined;
  const type = services.getTypeAtLocation(node);
  const parts = type.isUnion?.() ? (type.types ?? []) : [type];
  return parts.some((part) => part.getProperty('then') !== undefined);
}
