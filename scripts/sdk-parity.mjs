/**
 * Compares the exports of the official TypeScript packages with ours: every name that is not deprecated is there, or stands in
 * docs/sdk-parity.md with the reason. Run by `npm run check`; `--list` prints what is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PAIRS = [
  ['@temporalio/common', 'index'],
  ['@temporalio/client', 'client/index'],
  ['@temporalio/worker', 'worker/index'],
  ['@temporalio/activity', 'activity/index'],
  ['@temporalio/workflow', 'workflow/index'],
  ['@temporalio/testing', 'testing/index'],
];
const DOC = path.join(root, 'docs/sdk-parity.md');

/** The declaration file that a specifier in `from` means. */
function resolve(from, specifier) {
  const packageName = /^(@[^/]+\/[^/]+)(?:\/(.+))?$/.exec(specifier);
  const base = specifier.startsWith('.')
    ? path.resolve(path.dirname(from), specifier.replace(/\.js$/, ''))
    : packageName && path.join(root, 'node_modules', packageName[1], packageName[2] ?? 'lib/index');
  return base ? [`${base}.d.ts`, path.join(base, 'index.d.ts')].find((file) => existsSync(file)) : undefined;
}

const DECLARATION = /export (?:declare )?(?:abstract )?(?:const enum|enum|class|function|interface|type|namespace|let|var) +([A-Za-z0-9_$]+)/g;
const CONSTANTS = /export declare const ((?:[A-Za-z0-9_$]+\s*:(?:[^;{}]|\{[^{}]*\})*?(?:,\s*(?=[A-Za-z0-9_$]+\s*:)|;))+)/g;

/** Comments may hold examples with exports of their own: of each, only the tags that matter here are left. */
function withoutComments(source) {
  return source.replace(/\/\*[\s\S]*?\*\//g, (comment) => `/*${(comment.match(/@deprecated|@hidden|@internal/g) ?? []).join(' ')}*/`);
}

/** Whether a `@deprecated`, `@hidden` or `@internal` comment stands right before an offset. */
function isDeprecated(source, offset) {
  const before = source.slice(0, offset).trimEnd();
  return before.endsWith('*/') && before.slice(before.lastIndexOf('/*')).includes('@');
}

/** Exported names of a declaration file: name -> deprecated. */
function exportsOf(file, seen = new Set()) {
  const names = new Map();
  if (!file || seen.has(file)) return names;
  seen.add(file);
  const source = withoutComments(readFileSync(file, 'utf8'));
  const add = (name, offset) => names.set(name, isDeprecated(source, offset));
  for (const match of source.matchAll(DECLARATION)) add(match[1], match.index);
  for (const match of source.matchAll(CONSTANTS)) {
    for (const [, name] of match[1].matchAll(/(?:^|,)\s*([A-Za-z0-9_$]+)\s*:/g)) add(name, match.index);
  }
  for (const match of source.matchAll(/export declare const ([A-Za-z0-9_$]+)/g)) if (!names.has(match[1])) add(match[1], match.index);
  for (const match of source.matchAll(/export (?:type )?\{([^}]*)\}(?: from ['"]([^'"]+)['"])?/g)) {
    const inner = match[2] ? exportsOf(resolve(file, match[2])) : new Map();
    const list = match[1];
    for (const part of list.matchAll(/((?:\/\*[\s\S]*?\*\/|\/\/.*|\s)*)(?:type\s+)?([A-Za-z0-9_$]+)(?:\s+as\s+([A-Za-z0-9_$]+))?\s*(?:,|$)/g)) {
      const [, comment, name, alias] = part;
      names.set(alias ?? name, /@deprecated|@hidden/.test(comment) || Boolean(inner.get(name)));
    }
  }
  for (const match of source.matchAll(/export (?:type )?\* from ['"]([^'"]+)['"]/g)) {
    for (const [name, deprecated] of exportsOf(resolve(file, match[1]), seen)) if (!names.has(name)) names.set(name, deprecated);
  }
  return names;
}

/** Rows `| package | name | reason |` of the document. */
function documented() {
  const rows = new Set();
  if (!existsSync(DOC)) return rows;
  for (const match of readFileSync(DOC, 'utf8').matchAll(/^\| `(@temporalio\/[a-z]+)` \| (.+?) \| .+ \|$/gm)) {
    for (const [, name] of match[2].matchAll(/`([^`]+)`/g)) rows.add(`${match[1]} ${name}`);
  }
  return rows;
}

const explained = documented();
const known = new Set(explained);
const problems = [];
for (const [official, ours] of PAIRS) {
  const mine = exportsOf(path.join(root, 'worker-sdk/dist', `${ours}.d.ts`));
  const missing = [...exportsOf(resolve(DOC, official))].filter(([name, deprecated]) => !deprecated && !mine.has(name)).map(([name]) => name);
  for (const name of missing) {
    if (known.delete(`${official} ${name}`)) continue;
    problems.push(`${official} exports ${name}: worker-sdk/${ours}.ts does not, and docs/sdk-parity.md does not say why`);
  }
}
/** A name that is a type here and a value there would compile away in code that is ported. */
async function missingValues(official, ours, deprecated) {
  const [theirs, mine] = [await import(official), await import(path.join(root, 'worker-sdk/dist', `${ours}.js`))];
  return Object.keys(theirs).filter((name) => !(name in mine) && deprecated.get(name) === false);
}

for (const [official, ours] of PAIRS) {
  const names = exportsOf(resolve(DOC, official));
  for (const name of await missingValues(official, ours, names)) {
    known.delete(`${official} ${name}`);
    if (explained.has(`${official} ${name}`)) continue;
    problems.push(`${official} exports the value ${name}: worker-sdk/${ours}.ts has only a type of that name, or nothing`);
  }
}
for (const row of known) problems.push(`docs/sdk-parity.md lists ${row}, which is not missing`);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else console.log('SDK parity: every export of the official packages is there or explained');
