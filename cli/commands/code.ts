/** `perdure replay` and `perdure bundle`: the verbs that look at workflow code. They load the @perdure/sdk of the project they are called in. */
import type { Command } from 'commander';
import { collect, type ConnectionOptions, positive, withConnection } from '../options.js';

/** How the code is found and bundled. */
export interface CodeOptions {
  readonly workflows?: string;
  readonly interceptors?: readonly string[];
  readonly payloadConverter?: string;
  readonly failureConverter?: string;
  readonly ignoreModule?: readonly string[];
  readonly perRunModule?: readonly string[];
}

export interface ReplayOptions extends CodeOptions, ConnectionOptions {
  readonly bundle?: string;
  readonly history?: readonly string[];
  readonly workflowId?: readonly string[];
  readonly runId?: string;
  readonly query?: string;
  readonly limit: number;
  readonly dataConverter?: string;
}

export interface BundleOptions extends CodeOptions {
  readonly out: string;
  readonly output: 'table' | 'json';
}

const withCode = (command: Command): Command =>
  command
    .option('-w, --workflows <path>', 'file whose exports are the workflows (default: workflows.ts, workflows.js or workflows/index.*, here or in src, lib, dist)')
    .option('--interceptors <module>', 'file with workflow interceptors (repeatable)', collect)
    .option('--payload-converter <path>', 'file that exports payloadConverter')
    .option('--failure-converter <path>', 'file that exports failureConverter')
    .option('--ignore-module <name>', 'a module that the workflows import and never use (repeatable)', collect)
    .option('--per-run-module <package>', 'a package that keeps state and gets an instance per run (repeatable)', collect);

export const addCodeCommands = (program: Command): void => {
  const replay = withConnection(withCode(program.command('replay')))
    .description('replay histories against the present workflow code, and show where code and history part ways')
    .option('--history <path>', 'JSON file of a history, or a folder of such files (repeatable)', collect)
    .option('--workflow-id <id>', 'replay this workflow, its history read from the server (repeatable)', collect)
    .option('--run-id <id>', 'which run of the one --workflow-id (default: the present one, or the last)')
    .option('--query <filter>', 'replay the runs that a query finds, such as: WorkflowType = "refund" and ExecutionStatus = "Running"')
    .option('--limit <n>', 'at most so many runs of --query, the newest first', positive, 100)
    .option('--bundle <path>', 'workflows that were bundled ahead of time, instead of --workflows')
    .option('--data-converter <module>', 'module that exports the dataConverter of the workers, when payloads are encoded')
    .addHelpText('after', '\nExit code: 0 when everything matches, 1 when a history does not, 2 when something could not be read or loaded.');
  replay.action(async (options: ReplayOptions) => (await import('../actions/replay-histories.js')).replayHistories(options));

  withCode(program.command('bundle'))
    .description('bundle workflow code ahead of time, for workers with workflowBundle: { codePath }')
    .requiredOption('--out <file>', 'where to write it')
    .option('-o, --output <format>', 'how to print what was done: table or json', 'table')
    .action(async (options: BundleOptions) => (await import('../actions/bundle-workflows.js')).bundleWorkflows(options));
};
