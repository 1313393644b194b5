/** Imports in all their forms, and which of them are gone at run time. */
import type { Rule, Scope, SourceCode } from 'eslint';
import type * as ESTree from 'estree';

/** What a TypeScript parser adds to ESTree. */
type Typed<Node> = Node & { importKind?: 'type' | 'value'; exportKind?: 'type' | 'value' };

/** Something that loads a module when it runs. */
export interface ModuleUse {
  node: ESTree.Node;
  specifier: string;
}

/** Visitors that tell of every module which is loaded; imports of types are not. */
export function moduleVisitors(found: (use: ModuleUse) => void): Rule.RuleListener {
  const tell = (node: ESTree.Node, source: ESTree.Node | null | undefined): void => {
    if (source?.type === 'Literal' && typeof source.value === 'string') found({ node, specifier: source.value });
  };
  return {
    ImportDeclaration: (node) => {
      if (!isTypeImport(node)) tell(node, node.source);
    },
    ExportNamedDeclaration: (node) => {
      if ((node as Typed<typeof node>).exportKind !== 'type') tell(node, node.source);
    },
    ExportAllDeclaration: (node) => {
      if ((node as Typed<typeof node>).exportKind !== 'type') tell(node, node.source);
    },
    ImportExpression: (node) => tell(node, node.source),
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') tell(node, node.arguments[0]);
    },
    // import x = require('x')
    TSExternalModuleReference: (node: { expression?: ESTree.Node; parent?: Typed<ESTree.Node> }) => {
      if (node.parent?.importKind !== 'type') tell(node.parent as ESTree.Node, node.expression);
    },
  } as Rule.RuleListener;
}

function isTypeImport(node: ESTree.ImportDeclaration): boolean {
  if ((node as Typed<typeof node>).importKind === 'type') return true;
  return node.specifiers.length > 0 && node.specifiers.every((specifier) => (specifier as Typed<typeof specifier>).importKind === 'type');
}

/** The fix for an import of which only types are used. `undefined` when it is needed at run time. */
export function toTypeImport(node: ESTree.Node, sourceCode: SourceCode): Rule.ReportFixer | undefined {
  if (node.type !== 'ImportDeclaration' || node.specifiers.length === 0) return undefined;
  const kinds = new Set(node.specifiers.map(({ type }) => type));
  if (kinds.has('ImportDefaultSpecifier') && kinds.size > 1) return undefined; // a type import has one or the other
  if (node.specifiers.some((specifier) => (specifier as Typed<typeof specifier>).importKind === 'type')) return undefined;
  const references = sourceCode.getDeclaredVariables(node).flatMap((variable) => variable.references);
  if (references.length === 0 || !references.every(isInType)) return undefined;
  const keyword = sourceCode.getFirstToken(node)!;
  return (fixer) => fixer.insertTextAfter(keyword, ' type');
}

function isInType({ identifier }: Scope.Reference): boolean {
  for (let node = identifier as ESTree.Node & { parent?: ESTree.Node }; node; node = node.parent as typeof node) {
    if (/^TSType(?:Query|Reference|Annotation|AliasDeclaration|ParameterInstantiation)$|^TSInterface/.test(node.type)) return true;
    if (/Statement$|^Program$/.test(node.type)) return false;
  }
  return false;
}
