/** `perdure workflow …`: start, look at and steer runs. */
import type { Command } from 'commander';
import { collect, type ConnectionOptions, duration, positive, withConnection } from '../options.js';

export interface WorkflowOptions extends ConnectionOptions {
  readonly runId?: string;
}

export interface InputOptions extends WorkflowOptions {
  /** JSON texts, one an argument. */
  readonly input?: readonly string[];
}

export interface StartWorkflowOptions extends InputOptions {
  readonly type: string;
  readonly taskQueue: string;
  readonly workflowId?: string;
  readonly executionTimeout?: number;
  readonly runTimeout?: number;
}

export interface ReasonOptions extends WorkflowOptions {
  readonly reason: string;
}

export interface ListWorkflowsOptions extends ConnectionOptions {
  readonly query: string;
  readonly limit: number;
}

const reading = () => import('../actions/read-workflow.js');
const writing = () => import('../actions/steer-workflow.js');

const ofWorkflow = (command: Command): Command =>
  withConnection(command).argument('<workflow-id>').option('-r, --run-id <id>', 'which run (default: the present one, or the last)');

const withInput = (command: Command): Command => command.option('-i, --input <json>', 'an argument as JSON (repeatable)', collect);

export const addWorkflowCommands = (program: Command): void => {
  const workflow = program.command('workflow').description('runs of workflows');
  addReaders(workflow);
  addWriters(workflow);
};

const addReaders = (workflow: Command): void => {
  withConnection(workflow.command('list'))
    .description('list runs, the newest first')
    .option('-q, --query <filter>', 'such as: WorkflowType = "refund" and ExecutionStatus = "Running"', '')
    .option('--limit <n>', 'at most so many', positive, 50)
    .action(async (options: ListWorkflowsOptions) => (await reading()).listWorkflows(options));

  ofWorkflow(workflow.command('show'))
    .description('print the event history: a table, or with --output json what every tool of the open API reads')
    .action(async (id: string, options: WorkflowOptions) => (await reading()).showWorkflow(id, options));

  ofWorkflow(workflow.command('describe'))
    .description('print what a run is doing now')
    .action(async (id: string, options: WorkflowOptions) => (await reading()).describeWorkflow(id, options));

  ofWorkflow(workflow.command('result'))
    .description('wait for the end of a workflow and print its result; the exit code is 1 if it did not complete')
    .action(async (id: string, options: WorkflowOptions) => (await reading()).printResult(id, options));

  withInput(ofWorkflow(workflow.command('query')).argument('<query-type>'))
    .description('ask a workflow')
    .action(async (id: string, type: string, options: InputOptions) => (await reading()).queryWorkflow(id, type, options));
};

const addWriters = (workflow: Command): void => {
  withInput(withConnection(workflow.command('start')))
    .description('start a workflow')
    .requiredOption('--type <name>', 'workflow type')
    .requiredOption('-t, --task-queue <name>', 'task queue of its workers')
    .option('-w, --workflow-id <id>', 'default: a new one')
    .option('--execution-timeout <duration>', 'limit for the whole chain of runs', duration)
    .option('--run-timeout <duration>', 'limit for one run', duration)
    .action(async (options: StartWorkflowOptions) => (await writing()).startWorkflow(options));

  withInput(ofWorkflow(workflow.command('signal')).argument('<signal-name>'))
    .description('send a signal')
    .action(async (id: string, name: string, options: InputOptions) => (await writing()).signalWorkflow(id, name, options));

  ofWorkflow(workflow.command('cancel'))
    .description('ask a workflow to cancel itself')
    .option('--reason <text>', 'why', '')
    .action(async (id: string, options: ReasonOptions) => (await writing()).cancelWorkflow(id, options));

  ofWorkflow(workflow.command('pause'))
    .description('let a run take in what comes without asking its workers anything, until it is told to go on')
    .option('--reason <text>', 'why', '')
    .action(async (id: string, options: ReasonOptions) => (await writing()).pauseWorkflow(id, options));

  ofWorkflow(workflow.command('unpause'))
    .description('let a paused run go on')
    .option('--reason <text>', 'why', '')
    .action(async (id: string, options: ReasonOptions) => (await writing()).unpauseWorkflow(id, options));

  ofWorkflow(workflow.command('terminate'))
    .description('end a run at once, without asking it')
    .option('--reason <text>', 'why', '')
    .action(async (id: string, options: ReasonOptions) => (await writing()).terminateWorkflow(id, options));
};
