/** What the checks of a worker's commands need from outside the run: the namespaces they name and their search attributes. */
import { api, type Command } from '../core/api.js';
import type { Turn } from '../core/turn.js';
import type { CommandContext } from '../core/validate/command-context.js';
import type { Engine } from './engine.js';
import { customAttributes } from './namespace-registry.js';

/** Reads every namespace that a command may name, so that the decision itself need not wait. */
export async function knowNamespaces(engine: Engine, own: string, commands: readonly Command[]): Promise<void> {
  const names = new Set<string>([own]);
  for (const command of commands) {
    const other =
      command.startChildWorkflowExecutionCommandAttributes?.namespace ||
      command.signalExternalWorkflowExecutionCommandAttributes?.namespace ||
      command.requestCancelExternalWorkflowExecutionCommandAttributes?.namespace;
    if (other) names.add(other);
  }
  await Promise.all([...names].map((name) => engine.registry.find(name)));
}

export function commandRules(engine: Engine, turn: Turn, startedChildren: ReadonlySet<string>): CommandContext {
  const { state } = turn;
  return {
    limits: engine.limits,
    namespace: state.info.namespace,
    startedChildren,
    get memo() {
      return state.memo ? api.common.v1.Memo.decode(state.memo) : null;
    },
    get searchAttributes() {
      return state.searchAttributes ? api.common.v1.SearchAttributes.decode(state.searchAttributes) : null;
    },
    namespaceExists: (name) => engine.registry.peek(name) !== undefined,
    customSearchAttributes: (name) => {
      const namespace = engine.registry.peek(name);
      return namespace ? customAttributes(namespace) : { namespace: name, types: new Map() };
    },
  };
}
