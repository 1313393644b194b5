/** The verbs of the command line. Each action loads what it needs when it runs, so that `perdure --help` costs next to nothing. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { addApprovalCommands } from './commands/approvals.js';
import { addCodeCommands } from './commands/code.js';
import { addNamespaceCommands } from './commands/namespace.js';
import { addServerCommands } from './commands/server.js';
import { addTaskQueueCommands } from './commands/task-queue.js';
import { addWorkflowCommands } from './commands/workflow.js';
import { findInPackage } from './package-files.js';

export const createProgram = (): Command => {
  const { version } = JSON.parse(readFileSync(findInPackage('package.json', fileURLToPath(import.meta.url)), 'utf8')) as { version: string };
  const program = new Command('perdure')
    .description('Perdure: durable workflows on PostgreSQL.')
    .version(version, '-v, --version')
    .helpCommand(true)
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  addServerCommands(program);
  addWorkflowCommands(program);
  addApprovalCommands(program);
  addCodeCommands(program);
  addNamespaceCommands(program);
  addTaskQueueCommands(program);
  return program;
};
