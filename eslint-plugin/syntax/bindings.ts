/** What a name stands for: an import of the SDK, a function of the file, a global. */
import type { Scope, SourceCode } from 'eslint';
import type * as ESTree from 'estree';

const SDK_MODULES: ReadonlySet<string> = new Set(['@perdure/sdk/workflow', '@temporalio/workflow']);

/** The variable that an identifier names; `undefined` for globals that nothing declares. */
export function variableOf(node: ESTree.Identifier, sourceCode: SourceCode): Scope.Variable | undefined {
  for (let scope: Scope.Scope | null = sourceCode.getScope(node); scope; scope = scope.upper) {
    const found = scope.set.get(node.name);
    if (found) return found;
  }
  return undefined;
}

/** Whether an identifier names a global rather than something that the file declares or imports. */
export function isGlobal(node: ESTree.Identifier, sourceCode: SourceCode): boolean {
  const variable = variableOf(node, sourceCode);
  return variable === undefined || variable.defs.length === 0;
}

/** The global that an expression is: `fetch`, or `globalThis.fetch`. */
export function globalName(node: ESTree.Node, sourceCode: SourceCode): string | undefined {
  if (node.type === 'Identifier') return isGlobal(node, sourceCode) ? node.name : undefined;
  if (node.type !== 'MemberExpression' || node.object.type !== 'Identifier') return undefined;
  return ['globalThis', 'global', 'self', 'window'].includes(node.object.name) && isGlobal(node.object, sourceCode) ? memberName(node) : undefined;
}

/** The property that a member expression names, when it can be read. */
export function memberName(node: ESTree.MemberExpression): string | undefined {
  if (!node.computed && node.property.type === 'Identifier') return node.property.name;
  return node.property.type === 'Literal' && typeof node.property.value === 'string' ? node.property.value : undefined;
}

/** The export of the SDK that an expression is: `sleep`, or `workflow.sleep`. */
export function sdkExport(node: ESTree.Node, sourceCode: SourceCode): string | undefined {
  if (node.type === 'Identifier') {
    const specifier = importOf(node, sourceCode);
    if (specifier?.type !== 'ImportSpecifier') return undefined;
    return specifier.imported.type === 'Identifier' ? specifier.imported.name : undefined;
  }
  if (node.type !== 'MemberExpression' || node.object.type !== 'Identifier') return undefined;
  return importOf(node.object, sourceCode)?.type === 'ImportNamespaceSpecifier' ? memberName(node) : undefined;
}

type ImportSpecifier = ESTree.ImportSpecifier | ESTree.ImportNamespaceSpecifier | ESTree.ImportDefaultSpecifier;

function importOf(node: ESTree.Identifier, sourceCode: SourceCode): ImportSpecifier | undefined {
  const definition = variableOf(node, sourceCode)?.defs[0];
  if (definition?.type !== 'ImportBinding') return undefined;
  const { source } = definition.parent as ESTree.ImportDeclaration;
  return SDK_MODULES.has(String(source.value)) ? (definition.node as ImportSpecifier) : undefined;
}
