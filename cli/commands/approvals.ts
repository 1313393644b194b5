/** `perdure approvals …`, `perdure approve`, `perdure reject`: what runs ask people, and what people decide. */
import { type Command, Option } from 'commander';
import { type ConnectionOptions, positive, withConnection } from '../options.js';

export interface ListApprovalsOptions extends ConnectionOptions {
  readonly state: readonly string[];
  readonly workflowId?: string;
  readonly limit: number;
}

export interface OneApprovalOptions extends ConnectionOptions {
  readonly runId?: string;
  readonly approvalId?: string;
}

export interface DecisionOptions extends OneApprovalOptions {
  readonly reason: string;
  readonly by?: string;
}

const oneApproval = (command: Command): Command =>
  withConnection(command)
    .argument('<workflow-id>', 'the workflow that asks')
    .option('--run-id <id>', 'its run (default: the present one)')
    .option('--approval-id <id>', 'which request, when the run has several open');

export const addApprovalCommands = (program: Command): void => {
  const approvals = program.command('approvals').description('requests that wait for a person');

  withConnection(approvals.command('list'))
    .description('list requests, the newest first')
    .addOption(new Option('--state <states...>', 'in these states').choices(['open', 'approved', 'rejected', 'expired', 'withdrawn']).default(['open']))
    .option('--workflow-id <id>', 'of this workflow only')
    .option('--limit <n>', 'at most so many', positive, 100)
    .action(async (options: ListApprovalsOptions) => (await import('../actions/approvals.js')).listApprovals(options));

  oneApproval(approvals.command('show'))
    .description('show one request with all that it says')
    .action(async (workflowId: string, options: OneApprovalOptions) => (await import('../actions/approvals.js')).showApproval(workflowId, options));

  for (const verb of ['approve', 'reject'] as const) {
    oneApproval(program.command(verb))
      .description(`${verb} what a workflow asks for; it goes on at once`)
      .requiredOption('--reason <text>', 'why, for the history')
      .option('--by <name>', 'who decides (default: the name of this user)')
      .action(async (workflowId: string, options: DecisionOptions) => (await import('../actions/approvals.js')).decide(verb, workflowId, options));
  }
};
