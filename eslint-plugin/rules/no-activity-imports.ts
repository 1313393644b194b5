/** The code of activities, which brings all they use into the workflow's bundle, and would run inside of the workflow. */
import type { Rule } from 'eslint';
import { moduleVisitors, toTypeImport } from '../syntax/imports.js';

/** `./activities`, `../activities/pay.js`, `@app/activities`, `./pay.activity`, `./pay-activities`. */
const ACTIVITY_MODULE = '(?:^|[/.-])activit(?:y|ies)(?:\\.[cm]?[jt]s)?(?:$|/)';

interface Options {
  /** Regular expressions of module names, instead of the usual ones. */
  modules?: string[];
}

export const noActivityImports: Rule.RuleModule = {
  meta: {
    type: 'problem',
    fixable: 'code',
    docs: { description: "disallow imports of activities' code in workflow code; their types are welcome", recommended: true },
    schema: [{ type: 'object', properties: { modules: { type: 'array', items: { type: 'string' }, minItems: 1 } }, additionalProperties: false }],
    messages: {
      activity: "'{{name}}' holds activities, which must not run inside of a workflow. Write `import type` and call them through proxyActivities().",
    },
  },
  create(context) {
    const { modules = [ACTIVITY_MODULE] } = (context.options[0] ?? {}) as Options;
    const patterns = modules.map((source) => new RegExp(source));
    return moduleVisitors(({ node, specifier }) => {
      if (/^@(?:perdure|temporalio)\//.test(specifier) || !patterns.some((pattern) => pattern.test(specifier))) return;
      context.report({ node, messageId: 'activity', data: { name: specifier }, fix: toTypeImport(node, context.sourceCode) ?? null });
    });
  },
};
