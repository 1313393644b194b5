/** Node's modules, and the half of the SDK that belongs outside of workflows. */
import { builtinModules } from 'node:module';
import type { Rule } from 'eslint';
import { moduleVisitors, toTypeImport } from '../syntax/imports.js';

const BUILTIN = new Set(builtinModules);
/** The sandbox has stand-ins for these. */
const STAND_INS = ['assert', 'async_hooks', 'url', 'util'];
const OUTSIDE = /^(?:@perdure\/sdk\/|@temporalio\/)(?:activity|client|testing|worker)$/;

interface Options {
  /** Modules of Node that are allowed besides `assert`, `async_hooks`, `url` and `util`. */
  allow?: string[];
}

export const noNodeImports: Rule.RuleModule = {
  meta: {
    type: 'problem',
    fixable: 'code',
    docs: { description: 'disallow imports of Node modules in workflow code', recommended: true },
    schema: [{ type: 'object', properties: { allow: { type: 'array', items: { type: 'string' } } }, additionalProperties: false }],
    messages: {
      node: "'{{name}}' is a module of Node: what it does is not the same when the workflow is replayed. Use it in an activity.",
      sdk: "'{{name}}' belongs outside of workflows. Import from '@perdure/sdk/workflow', or import types only.",
    },
  },
  create(context) {
    const { allow = [] } = (context.options[0] ?? {}) as Options;
    const allowed = new Set([...STAND_INS, ...allow.map(withoutScheme)]);
    return moduleVisitors(({ node, specifier }) => {
      const name = withoutScheme(specifier);
      const isNode = specifier.startsWith('node:') || BUILTIN.has(name);
      if (isNode ? allowed.has(name) : !OUTSIDE.test(specifier)) return;
      context.report({ node, messageId: isNode ? 'node' : 'sdk', data: { name: specifier }, fix: toTypeImport(node, context.sourceCode) ?? null });
    });
  },
};

function withoutScheme(specifier: string): string {
  return specifier.replace(/^node:/, '');
}
