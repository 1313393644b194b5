/** Time zone and language of the machine: workers differ in them. The clock itself is the workflow's. */
import type { Rule } from 'eslint';
import type * as ESTree from 'estree';
import { globalName, memberName } from '../syntax/bindings.js';

const LOCAL = /^(?:get|set)(?:Hours|Minutes|Date|Day|Month|FullYear|Year)$|^getTimezoneOffset$|^to(?:Date|Time)String$/;
const UTC: Readonly<Record<string, string>> = { getTimezoneOffset: 'a time zone that the workflow is given', toDateString: 'toISOString()', toTimeString: 'toISOString()' };

export const noLocalTime: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: "disallow what depends on the worker's time zone or language in workflow code", recommended: true },
    schema: [],
    messages: {
      local: "{{name}}() depends on the time zone of the worker, which may be another in replay. Use {{instead}}.",
      zone: "{{name}} without timeZone depends on the worker's time zone. Name it: { timeZone: 'UTC' }.",
      language: "{{name}}() depends on the language of the worker. Name it: {{name}}('en-US').",
      parts: 'A date made from parts is in the time zone of the worker. Use Date.UTC().',
    },
  },
  create(context) {
    const checkCall = (node: ESTree.CallExpression): void => {
      const name = node.callee.type === 'MemberExpression' ? memberName(node.callee) : undefined;
      if (name === undefined) return;
      if (LOCAL.test(name)) context.report({ node, messageId: 'local', data: { name, instead: UTC[name] ?? `${name.replace(/^(get|set)/, '$1UTC')}()` } });
      if (/^toLocale(?:Date|Time)String$/.test(name) && !namesZone(node.arguments[1])) context.report({ node, messageId: 'zone', data: { name: `${name}()` } });
      if (name === 'toLocaleString' && node.arguments.length === 0) context.report({ node, messageId: 'language', data: { name } });
    };
    return {
      CallExpression: checkCall,
      NewExpression: (node) => {
        if (globalName(node.callee, context.sourceCode) === 'Date' && node.arguments.length > 1) context.report({ node, messageId: 'parts' });
        const { callee } = node;
        if (callee.type !== 'MemberExpression' || memberName(callee) !== 'DateTimeFormat' || globalName(callee.object, context.sourceCode) !== 'Intl') return;
        if (!namesZone(node.arguments[1])) context.report({ node, messageId: 'zone', data: { name: 'Intl.DateTimeFormat' } });
      },
    };
  },
};

/** What cannot be read is given the benefit of the doubt. */
function namesZone(options: ESTree.Node | undefined): boolean {
  if (options?.type !== 'ObjectExpression') return options !== undefined;
  return options.properties.some((property) => property.type !== 'Property' || (property.key.type === 'Identifier' && property.key.name === 'timeZone'));
}
