/** Calls whose promise is something that happens in the world: activities, children, timers, conditions, and the file's own async functions. */
import type { SourceCode } from 'eslint';
import type * as ESTree from 'estree';
import { sdkExport, variableOf } from './bindings.js';

const PROXIES: ReadonlySet<string> = new Set(['proxyActivities', 'proxyLocalActivities']);
const DURABLE: ReadonlySet<string> = new Set([
  'sleep', 'condition', 'executeChild', 'startChild', 'continueAsNew', 'scheduleActivity', 'scheduleLocalActivity', 'waitForApproval',
]);

/** What the call is, for people; `undefined` when it is nothing that must be awaited. */
export function durableCall(node: ESTree.CallExpression, sourceCode: SourceCode): string | undefined {
  const { callee } = node;
  const exported = sdkExport(callee, sourceCode);
  if (exported !== undefined) return DURABLE.has(exported) ? `${exported}()` : undefined;
  if (callee.type === 'MemberExpression') return isProxy(callee.object, sourceCode) ? `the activity ${sourceCode.getText(callee)}()` : undefined;
  if (callee.type !== 'Identifier') return undefined;
  if (isActivity(callee, sourceCode)) return `the activity ${callee.name}()`;
  return isAsyncFunction(callee, sourceCode) ? `the async function ${callee.name}()` : undefined;
}

/** Whether an expression is what proxyActivities() returned. */
function isProxy(node: ESTree.Node, sourceCode: SourceCode, depth = 0): boolean {
  if (node.type === 'CallExpression') return PROXIES.has(sdkExport(node.callee, sourceCode) ?? '');
  if (node.type !== 'Identifier' || depth > 3) return false;
  const declarator = declaratorOf(node, sourceCode);
  return declarator?.id.type === 'Identifier' && declarator.init != null && isProxy(declarator.init, sourceCode, depth + 1);
}

/** Whether a name was taken out of what proxyActivities() returned. */
function isActivity(node: ESTree.Identifier, sourceCode: SourceCode): boolean {
  const declarator = declaratorOf(node, sourceCode);
  if (declarator?.init == null) return false;
  if (declarator.id.type === 'ObjectPattern') return isProxy(declarator.init, sourceCode);
  return declarator.init.type === 'MemberExpression' && isProxy(declarator.init.object, sourceCode);
}

function isAsyncFunction(node: ESTree.Identifier, sourceCode: SourceCode): boolean {
  const definition = variableOf(node, sourceCode)?.defs[0];
  if (definition?.type === 'FunctionName') return Boolean((definition.node as ESTree.FunctionDeclaration).async);
  const init = declaratorOf(node, sourceCode)?.init;
  return (init?.type === 'ArrowFunctionExpression' || init?.type === 'FunctionExpression') && Boolean(init.async);
}

function declaratorOf(node: ESTree.Identifier, sourceCode: SourceCode): ESTree.VariableDeclarator | undefined {
  const definition = variableOf(node, sourceCode)?.defs[0];
  return definition?.type === 'Variable' ? (definition.node as ESTree.VariableDeclarator) : undefined;
}
