/** Globals that are missing in the sandbox, or throw there. */
import type { Rule } from 'eslint';
import type * as ESTree from 'estree';
import { globalName, memberName } from '../syntax/bindings.js';

const ACTIVITY = 'Use it in an activity.';
const FIXES = new Map<string, string>([
  ['fetch', 'It reaches the network: call it in an activity.'],
  ['XMLHttpRequest', 'It reaches the network: use it in an activity.'],
  ['WebSocket', 'It reaches the network: use it in an activity.'],
  ['EventSource', 'It reaches the network: use it in an activity.'],
  ['setImmediate', 'Use sleep() or setTimeout(), whose timers are durable.'],
  ['setInterval', 'Loop over sleep(), and continue as new before the history gets long.'],
  ['WeakRef', 'It shows when memory is collected: hold the value itself.'],
  ['FinalizationRegistry', 'It shows when memory is collected: clean up in a finally block.'],
  ['SharedArrayBuffer', ACTIVITY],
  ['Atomics', ACTIVITY],
  ['WebAssembly', ACTIVITY],
  ['Worker', ACTIVITY],
  ['Bun', ACTIVITY],
  ['Deno', ACTIVITY],
]);
const PROCESS_FIXES = new Map<string, string>([
  ['env', 'It may differ from worker to worker: read it in an activity, or pass it to the workflow as an argument.'],
  ['hrtime', 'Use Date.now(), which shows the clock of the workflow.'],
  ['uptime', 'Use workflowInfo().runStartTime.'],
  ['exit', 'Throw an ApplicationFailure to fail the workflow.'],
  ['argv', 'Pass it to the workflow as an argument.'],
]);
/** What the sandbox's stand-in for `process` has. */
const PROCESS_ALLOWED: ReadonlySet<string> = new Set(['nextTick', 'emitWarning']);

type Child = ESTree.Node & { parent?: ESTree.Node };

export const noNondeterministicGlobals: Rule.RuleModule = {
  meta: {
    type: 'problem',
    docs: { description: 'disallow globals that would not give the same when a workflow is replayed', recommended: true },
    schema: [],
    messages: { global: '{{name}} cannot be used in workflow code. {{fix}}' },
  },
  create(context) {
    const { sourceCode } = context;
    const report = (node: ESTree.Node, name: string, fix: string): void => context.report({ node, messageId: 'global', data: { name, fix } });
    const check = (node: ESTree.Node): void => {
      const name = globalName(node, sourceCode);
      if (name === undefined || isTypeof(node)) return;
      const fix = FIXES.get(name);
      if (fix !== undefined) report(node, name, fix);
      const member = memberAround(node);
      if (fix !== undefined || member === undefined) return;
      const part = memberName(member);
      if (name === 'process' && part !== undefined && !PROCESS_ALLOWED.has(part) && !isNodeEnv(member)) {
        report(member, `process.${part}`, PROCESS_FIXES.get(part) ?? ACTIVITY);
      }
      if (name === 'crypto' && part === 'subtle') report(member, 'crypto.subtle', 'Its results would come in any order: use it in an activity.');
    };
    return {
      Identifier: (node) => {
        if (isReference(node)) check(node);
      },
      MemberExpression: check,
    };
  },
};

/** An identifier that stands for a value: not a property, a key, a declaration or a type. */
function isReference(node: Child): boolean {
  const { parent } = node;
  if (!parent || parent.type.startsWith('TS')) return false;
  if (parent.type === 'MemberExpression') return parent.object === node || parent.computed;
  if (parent.type === 'Property') return parent.value === node || parent.computed;
  return !/^(?:MethodDefinition|PropertyDefinition|LabeledStatement|BreakStatement|ContinueStatement|ImportSpecifier|ExportSpecifier)$/.test(parent.type);
}

/** `typeof fetch` asks whether it is there. */
function isTypeof({ parent }: Child): boolean {
  return parent?.type === 'UnaryExpression' && parent.operator === 'typeof';
}

function memberAround(node: Child): ESTree.MemberExpression | undefined {
  return node.parent?.type === 'MemberExpression' && node.parent.object === node ? node.parent : undefined;
}

/** Bundlers replace `process.env.NODE_ENV`. */
function isNodeEnv(member: ESTree.MemberExpression): boolean {
  const around = memberAround(member);
  return memberName(member) === 'env' && around !== undefined && memberName(around) === 'NODE_ENV';
}
