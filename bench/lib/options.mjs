/** The command line of a benchmark: `--help` shows the header of its file; what is wrong is named before anything is started. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const COMMON = {
  address: { type: 'string', value: 'host:port', what: 'a server that runs already' },
  'database-url': { type: 'string', value: 'url', what: 'the PostgreSQL of that server, or of engines of its own (default: one of its own, fsync on). What was run stays in it' },
  json: { type: 'string', value: 'file', what: 'the figures, also written there' },
  profile: { type: 'string', value: 'folder', what: 'CPU profiles of the engine, and of worker and client where they are compared, written there' },
  quick: { type: 'boolean', what: 'a smaller run' },
};

/** Someone asked for what there is not: one line, and exit code 2. */
export function misused(text) {
  console.error(`${text}\n\`--help\` says what there is.`);
  process.exit(2);
}

/** The comment that a file begins with. */
function headerOf(file) {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  return comment.replaceAll(/^ ?\* ?/gm, '').trim();
}

function help(definitions) {
  const lines = Object.entries(definitions).map(([name, { value, what, otherwise }]) => [`--${name}${value ? ` <${value}>` : ''}`, `${what ?? ''}${otherwise === undefined ? '' : ` (default: ${otherwise})`}`]);
  const width = Math.max(...lines.map(([flag]) => flag.length)) + 2;
  console.log(`${headerOf(process.argv[1])}\n\n${lines.map(([flag, what]) => `  ${flag.padEnd(width)}${what}`.trimEnd()).join('\n')}`);
  process.exit(0);
}

function parsed(options) {
  try {
    return parseArgs({ options: Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type: type === 'number' ? 'string' : type }])) }).values;
  } catch (error) {
    return misused(error.message.replace(/\. To specify a positional[\s\S]*/, ''));
  }
}

/** What is wrong with a value; undefined when nothing is. */
function complaint({ type, oneOf, several }, value) {
  if (type === 'number' && !(Number(value) > 0)) return 'a number above 0';
  if (oneOf && !(several ? value.split(',') : [value]).every((part) => oneOf.includes(part))) return `${several ? 'some of ' : ''}${oneOf.join(', ')}`;
  return undefined;
}

/** An option that takes a number. `quick`: its default with --quick. */
export const numeric = (otherwise, quick, what) => ({ type: 'number', value: 'n', otherwise, quick, what });

/**
 * @param more further options: { type: 'string' | 'boolean' | 'number', value, what, otherwise, quick, oneOf, several }. `otherwise`: its default; `quick`: the default with --quick;
 * `oneOf`: the only values, `several`: with commas
 * @param not common options that it does not take, each with the reason
 * @returns {{ values: Record<string, any>, number(name: string): number | undefined }} numbers among the values are numbers
 */
export function readOptions(more = {}, not = {}) {
  const definitions = { ...more, ...Object.fromEntries(Object.entries(COMMON).filter(([name]) => !(name in not))), help: { type: 'boolean', what: 'this text' } };
  const given = parsed({ ...COMMON, ...definitions });
  if (given.help) help(definitions);
  for (const [name, why] of Object.entries(not)) if (given[name] !== undefined) misused(`--${name}: not here, ${why}`);
  const values = {};
  for (const [name, definition] of Object.entries(definitions)) {
    const value = given[name] ?? (given.quick ? definition.quick : undefined) ?? definition.otherwise;
    if (value === undefined) continue;
    const expected = complaint(definition, String(value));
    if (expected) misused(`--${name}: expected ${expected}, got ${value}`);
    values[name] = definition.type === 'number' ? Number(value) : value;
  }
  if (values.address !== undefined && !/^.+:\d+$/.test(values.address)) misused(`--address: expected host:port, got ${values.address}`);
  return { values, number: (name) => values[name] };
}
