/** docs/configuration.md has every verb of the command line with its flags, and every flag of the server. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createProgram } from '../../cli/program.js';

type Command = ReturnType<typeof createProgram>;

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| `'));
/** Said once for all verbs. */
const SHARED = ['--address', '--namespace', '--output'];

const verbs = (command: Command, path: string[] = []): [string, Command][] =>
  command.commands.length === 0
    ? [[path.join(' '), command]]
    : command.commands.flatMap((inner) => verbs(inner, [...path, inner.name()]));
const flagsOf = (command: Command): string[] => command.options.filter(({ hidden }) => !hidden).map(({ long }) => long!);
const rowOf = (verb: string): string => rows.find((row) => new RegExp(`\`${verb}( [<[][^\`]*)?\``).test(row.split('|')[1]!)) ?? '';

const all = verbs(createProgram()).filter(([verb]) => !verb.startsWith('help'));

it.each(all.filter(([verb]) => !verb.startsWith('server start')))('%s', (verb, command) => {
  const told = rowOf(verb) + (verb === 'replay' ? rowOf('bundle') : '') + (verb === 'task-queue config set' ? rowOf('task-queue config get') : '');
  expect(flagsOf(command).filter((flag) => !SHARED.includes(flag) && !told.includes(`\`${flag}`))).toEqual([]);
  expect(told).not.toBe('');
});

it.each(all.filter(([verb]) => verb.startsWith('server start')))('%s', (_verb, command) => {
  expect(flagsOf(command).filter((flag) => !page.includes(`\`${flag}`))).toEqual([]);
});
