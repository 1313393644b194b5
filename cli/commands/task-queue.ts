/** `perdure task-queue …` and `perdure worker …`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ConnectionOptions, collect, positive, withConnection } from '../options.js';

export interface TaskQueueOptions extends ConnectionOptions {
  readonly taskQueue: string;
  readonly taskQueueType?: 'workflow' | 'activity';
}

/** A rate in tasks a second; `default` takes the limit away; undefined leaves it. */
export interface SetConfigOptions extends TaskQueueOptions {
  readonly queueRpsLimit?: number | 'default';
  readonly queueRpsLimitReason?: string;
  readonly fairnessKeyRpsLimitDefault?: number | 'default';
  readonly fairnessKeyRpsLimitReason?: string;
  readonly fairnessKeyWeight?: readonly string[];
  readonly identity: string;
}

export interface ListWorkersOptions extends ConnectionOptions {
  readonly query: string;
  readonly limit: number;
}

const rate = (text: string): number | 'default' => {
  if (text === 'default') return text;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Expected tasks a second (0 holds the queue), or "default" for no limit.');
  return value;
};

const withQueue = (command: Command, defaultType?: string): Command => {
  const type = new Option('--task-queue-type <type>', 'which tasks of it').choices(['workflow', 'activity']);
  return withConnection(command)
    .requiredOption('-t, --task-queue <name>', 'name of the task queue')
    .addOption(defaultType === undefined ? type : type.default(defaultType));
};

const actions = () => import('../actions/task-queues.js');

export const addTaskQueueCommands = (program: Command): void => {
  const queue = program.command('task-queue').description('task queues: who polls them, what waits in them, and how fast they may go');

  withQueue(queue.command('describe'))
    .description('show pollers, backlog and rates of a task queue')
    .action(async (options: TaskQueueOptions) => (await actions()).describeTaskQueue(options));

  const config = queue.command('config').description('rate limits of a task queue and weights of its fairness keys');

  withQueue(config.command('get'), 'activity')
    .description('show what is set, by whom and why')
    .action(async (options: TaskQueueOptions) => (await actions()).getConfig(options));

  withQueue(config.command('set'), 'activity')
    .description('limit how fast a task queue hands out its tasks, or weigh its fairness keys')
    .option('--queue-rps-limit <rate>', 'tasks a second of the whole queue, 0 to hold it, or "default"', rate)
    .option('--queue-rps-limit-reason <text>', 'why')
    .option('--fairness-key-rps-limit-default <rate>', 'tasks a second of each fairness key, or "default"', rate)
    .option('--fairness-key-rps-limit-reason <text>', 'why')
    .option('--fairness-key-weight <key=weight>', 'weight of a fairness key, or key=default; may be given again', collect)
    .option('--identity <text>', 'who sets it', `perdure@${process.env['USER'] ?? 'cli'}`)
    .action(async (options: SetConfigOptions) => (await actions()).setConfig(options));

  const worker = program.command('worker').description('workers that say how they are');

  withConnection(worker.command('list'))
    .description('list the workers of a namespace')
    .option('-q, --query <filter>', `such as "TaskQueue = 'orders' AND WorkerStatus = 'Running'"`, '')
    .option('--limit <n>', 'at most so many', positive, 100)
    .action(async (options: ListWorkersOptions) => (await import('../actions/workers.js')).listWorkers(options));

  withConnection(worker.command('describe'))
    .argument('<key>', 'worker instance key')
    .description('show what a worker says of itself')
    .action(async (key: string, options: ConnectionOptions) => (await import('../actions/workers.js')).describeWorker(key, options));
};
