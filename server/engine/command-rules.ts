/** What the checks of a worker's commands need from outside the run: the namespaces they name and their search attributes. */
import { api, type Command } from '../core/api.js';
import type { Turn } from '../core/turn.js';
import type { CommandContext } from '../core/validate/command-context.js';
import type { CustomSearchAttributes } from '../core/validate/search-attributes.js';
import type { Engine } from './engine.js';
import { customAttributes } from './namespace-registry.js';

/** Reads every namespace that a command may name, so that the decision itself need not wait. */
export async function knowNamespaces(engine: Engine, own: string, commands: readonly Command[]): Promise<void> {
  await engine.registry.find(own);
  for (const command of commands) {
    const other =
      command.startChildWorkflowExecutionCommandAttributes?.namespace ||
      command.signalExternalWorkflowExecutionCommandAttributes?.namespace ||
      command.requestCancelExternalWorkflowExecutionCommandAttributes?.namespace;
    if (other && other !== own) await engine.registry.find(other);
  }
}

/** A class, since what is looked up late is then defined once and not for each completion. */
export class RulesOfCommands implements CommandContext {
  readonly limits: CommandContext['limits'];
  readonly namespace: string;

  constructor(
    private readonly engine: Engine,
    private readonly turn: Turn,
    readonly startedChildren: ReadonlySet<string>,
  ) {
    this.limits = engine.limits;
    this.namespace = turn.state.info.namespace;
  }

  get memo() {
    const { memo } = this.turn.state;
    return memo ? api.common.v1.Memo.decode(memo) : null;
  }

  get searchAttributes() {
    const { searchAttributes } = this.turn.state;
    return searchAttributes ? api.common.v1.SearchAttributes.decode(searchAttributes) : null;
  }

  // may be called without their object
  readonly namespaceExists = (name: string): boolean => this.engine.registry.peek(name) !== undefined;

  readonly customSearchAttributes = (name: string): CustomSearchAttributes => {
    const namespace = this.engine.registry.peek(name);
    return namespace ? customAttributes(namespace) : { namespace: name, types: new Map() };
  };
}
