/** `perdure namespace …`. */
import { type Command, Option } from 'commander';
import { type ConnectionOptions, duration, withConnection } from '../options.js';

export interface RegisterNamespaceOptions extends ConnectionOptions {
  readonly retention: number;
  readonly description: string;
}

export const addNamespaceCommands = (program: Command): void => {
  const namespace = program.command('namespace').description('namespaces');

  withConnection(namespace.command('list'))
    .description('list namespaces')
    .action(async (options: ConnectionOptions) => (await import('../actions/namespaces.js')).listNamespaces(options));

  withConnection(namespace.command('describe'))
    .argument('[name]', 'default: that of --namespace')
    .description('describe a namespace')
    .action(async (name: string | undefined, options: ConnectionOptions) => (await import('../actions/namespaces.js')).describeNamespace(name ?? options.namespace, options));

  withConnection(namespace.command('register'))
    .argument('<name>')
    .description('make a namespace')
    .addOption(new Option('--retention <duration>', 'how long closed runs stay').argParser(duration).default(duration('3d'), '3d'))
    .option('--description <text>', 'what it is for', '')
    .action(async (name: string, options: RegisterNamespaceOptions) => (await import('../actions/namespaces.js')).registerNamespace(name, options));
};
