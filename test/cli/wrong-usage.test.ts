/** A line that makes no sense ends with 2 and says why, before any server is asked. */
import { expect, it } from 'vitest';
import { run } from '../helpers/perdure-process.js';

const nowhere = { PERDURE_ADDRESS: '127.0.0.1:1' };

it.each<[string, string[], RegExp]>([
  ['an unknown command', ['workflows'], /unknown command 'workflows'/],
  ['an unknown verb', ['workflow', 'stop'], /unknown command 'stop'/],
  ['no verb at all', ['workflow'], /Usage: perdure workflow/],
  ['an unknown flag', ['workflow', 'list', '--color'], /unknown option '--color'/],
  ['an unknown flag of the server', ['server', 'start-dev', '--colour'], /unknown option '--colour'/],
  ['a flag without its value', ['workflow', 'list', '--limit'], /argument missing/],
  ['a value of the wrong kind', ['workflow', 'list', '--limit', 'many'], /whole number/],
  ['a word that is none of the choices', ['workflow', 'list', '--output', 'xml'], /Allowed choices are table, json/],
  ['a missing argument', ['workflow', 'show'], /missing required argument 'workflow-id'/],
  ['an argument too many', ['workflow', 'show', 'one', 'two'], /too many arguments/],
  ['a missing flag', ['workflow', 'start', '--type', 'x'], /required option '-t, --task-queue/],
  ['input that is no JSON', ['workflow', 'signal', 'id', 'name', '-i', 'text'], /--input: expected JSON, got text/],
  ['nothing to set', ['task-queue', 'config', 'set', '-t', 'q'], /nothing to set/],
  ['a weight that is none', ['task-queue', 'config', 'set', '-t', 'q', '--fairness-key-weight', 'a=0'], /expected key=weight/],
  ['nothing to replay', ['replay'], /Nothing to replay|No workflows found/],
  ['a database URL that is none', ['server', 'start', '--database-url', 'mysql://x'], /--database-url: expected a URL of a PostgreSQL/],
])('%s', async (_what, args, message) => {
  const { code, stdout, stderr } = await run(args, nowhere);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, '']);
});

it('help and version are no mistake', async () => {
  for (const args of [['--help'], ['help'], ['workflow', '--help'], ['--version']]) expect((await run(args)).code, args.join(' ')).toBe(0);
});

it('what did not work ends with 1', async () => {
  expect((await run(['workflow', 'list'], nowhere)).code).toBe(1);
});
