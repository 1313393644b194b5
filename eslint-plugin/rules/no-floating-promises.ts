/** Promises that nobody waits for: what goes wrong in them is lost, and the workflow may end before they do. */
import type { Rule } from 'eslint';
import type * as ESTree from 'estree';
import { memberName } from '../syntax/bindings.js';
import { durableCall } from '../syntax/durable-calls.js';
import { isThenable } from '../syntax/types.js';

type Child = ESTree.Node & { parent?: Child };
type Callback = ESTree.ArrowFunctionExpression | ESTree.FunctionExpression;

export const noFloatingPromises: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'require that promises of activities, children and timers are awaited in workflow code', recommended: true },
    schema: [],
    messages: {
      floating: 'Nobody waits for {{what}}: await it, or write `void` in front if the workflow is not to wait. A failure would be lost, and the workflow may end before it does.',
      unused: "The promise of {{what}} in '{{name}}' is never used: await it.",
      forEach: 'forEach() does not wait for what its callback awaits: use a for loop, or await Promise.all(list.map(…)).',
    },
  },
  create(context) {
    const { sourceCode } = context;
    return {
      CallExpression: (node) => {
        if (isAsyncForEach(node)) return context.report({ node, messageId: 'forEach' });
        const durable = durableCall(node, sourceCode);
        const what = durable ?? (isThenable(node, sourceCode) ? `${sourceCode.getText(node.callee)}()` : undefined);
        if (what === undefined) return undefined;
        const end = endOf(node as Child);
        if (end === 'floating') context.report({ node, messageId: 'floating', data: { what } });
        // Whether a variable is used is for other rules to say, but for calls that make something happen.
        if (durable !== undefined && typeof end === 'object' && isUnused(end)) {
          context.report({ node, messageId: 'unused', data: { what, name: (end.id as ESTree.Identifier).name } });
        }
        return undefined;
      },
    };

    function isUnused(declarator: ESTree.VariableDeclarator): boolean {
      return sourceCode.getDeclaredVariables(declarator).every((variable) => variable.references.every((reference) => reference.init === true));
    }
  },
};

/** What becomes of a promise: nobody takes it, a variable does, or somebody else. */
function endOf(node: Child): 'floating' | 'taken' | ESTree.VariableDeclarator {
  const { parent } = node;
  if (!parent) return 'taken';
  switch (parent.type) {
    case 'ExpressionStatement':
      return 'floating';
    case 'ChainExpression':
      return endOf(parent);
    case 'ConditionalExpression':
      return parent.test === node ? 'taken' : endOf(parent);
    case 'LogicalExpression':
      return parent.right === node ? endOf(parent) : 'taken';
    case 'SequenceExpression':
      return parent.expressions.at(-1) === node ? endOf(parent) : 'floating';
    case 'VariableDeclarator':
      return parent.id.type === 'Identifier' ? parent : 'taken';
    case 'MemberExpression':
      return endOfChain(parent);
    case 'ArrowFunctionExpression':
      return parent.body === node ? endOfCallback(parent) : 'taken';
    default:
      return 'taken';
  }
}

/** `.then(f)` and `.finally(f)` are promises again; `.catch(f)` and `.then(f, g)` see to failures. */
function endOfChain(member: Child & ESTree.MemberExpression): ReturnType<typeof endOf> {
  const call = member.parent;
  if (call?.type !== 'CallExpression' || call.callee !== member) return 'taken';
  const name = memberName(member);
  if (name === 'finally' || (name === 'then' && call.arguments.length < 2)) return endOf(call);
  return 'taken';
}

/** What a callback returns goes where the list goes: `forEach` drops it, `map` makes a list of promises. */
function endOfCallback(callback: Child & Callback): ReturnType<typeof endOf> {
  const call = callback.parent;
  if (call?.type !== 'CallExpression' || call.callee.type !== 'MemberExpression' || call.arguments[0] !== callback) return 'taken';
  const name = memberName(call.callee);
  if (name === 'forEach') return 'floating';
  return name === 'map' && call.parent?.type === 'ExpressionStatement' ? 'floating' : 'taken';
}

function isAsyncForEach(node: ESTree.CallExpression): boolean {
  const [callback] = node.arguments;
  if (node.callee.type !== 'MemberExpression' || memberName(node.callee) !== 'forEach') return false;
  return (callback?.type === 'ArrowFunctionExpression' || callback?.type === 'FunctionExpression') && Boolean(callback.async);
}
