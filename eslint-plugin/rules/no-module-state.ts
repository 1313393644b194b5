/** Changes of what lies outside of functions: state that no history and no continue-as-new carries along. */
import type { Rule, Scope } from 'eslint';
import type * as ESTree from 'estree';
import { globalName, memberName } from '../syntax/bindings.js';

const MUTATORS: ReadonlySet<string> = new Set([
  'push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin', 'set', 'add', 'delete', 'clear',
]);

type Child = ESTree.Node & { parent?: Child };

export const noModuleState: Rule.RuleModule = {
  meta: {
    type: 'suggestion',
    docs: { description: 'disallow changes of module state in workflow code', recommended: true },
    schema: [],
    messages: {
      assigned: "'{{name}}' lies outside of the workflow function and is changed in it. Keep it in the function (and pass it to continueAsNew): {{why}}",
      mutated: "What '{{name}}' holds lies outside of the workflow function and is changed in it. Keep it in the function (and pass it to continueAsNew): {{why}}",
      imported: "'{{name}}' is imported and is changed here. {{shared}}",
      global: "'{{name}}' is put on the global object. Keep it in the workflow function.",
    },
  },
  create(context) {
    const { sourceCode } = context;
    const check = (variable: Scope.Variable, module: Scope.Scope): void => {
      for (const reference of variable.references) {
        if (reference.from.variableScope === module) continue; // made while the module loads: that is what modules do
        const { identifier, init } = reference;
        const isImport = variable.defs[0]?.type === 'ImportBinding';
        const change = changeOf(identifier as Child);
        const messageId = isImport && change ? 'imported' : reference.isWrite() && init !== true ? 'assigned' : change && !isImport ? 'mutated' : undefined;
        if (messageId) context.report({ node: identifier as ESTree.Node, messageId, data: { name: variable.name, why: WHY, shared: SHARED } });
      }
    };
    return {
      'Program:exit': (program: ESTree.Program) => {
        const scope = sourceCode.getScope(program);
        const module = scope.childScopes.find(({ type }) => type === 'module') ?? scope;
        for (const variable of module.variables) check(variable, module);
      },
      AssignmentExpression: (node) => {
        const name = node.left.type === 'MemberExpression' ? globalName(node.left, sourceCode) : undefined;
        if (name !== undefined) context.report({ node, messageId: 'global', data: { name } });
      },
    };
  },
};

const WHY = 'module state is lost when the run continues as new, and is shared by all runs wherever the code is used without a sandbox.';
const SHARED = 'Modules of libraries are shared by all workflows of a worker: what one changes, another sees, and replay differs.';

/** Whether what an identifier holds is changed: a property is set, counted or deleted, or a method that changes it is called. */
function changeOf(identifier: Child): boolean {
  let node: Child = identifier;
  while (node.parent?.type === 'MemberExpression' && node.parent.object === node) {
    const member: Child = node.parent;
    const { parent } = member;
    if (parent?.type === 'AssignmentExpression' && parent.left === member) return true;
    if (parent?.type === 'UpdateExpression') return true;
    if (parent?.type === 'UnaryExpression' && parent.operator === 'delete') return true;
    if (parent?.type === 'CallExpression' && parent.callee === member) return MUTATORS.has(memberName(member as ESTree.MemberExpression) ?? '');
    node = member;
  }
  return false;
}
