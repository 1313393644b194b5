/**
 * What a bundle was made from, as facts that can be looked at again: contents of files, names in folders (a new file may take the place of
 * another), and where packages are found. When all facts still hold, bundling again would give the same.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { packageOf } from './bundle-plugin.js';

/** What the bundler read and looked for. */
export interface BundleInputs {
  /** Files whose text is in the bundle: absolute paths. */
  files: readonly string[];
  /** Packages that were looked for, and from which folder. */
  packages: readonly { from: string; name: string }[];
}

/** Kind, what was looked at, and what was found. */
type Fact = readonly ['file' | 'folder' | 'package', string, string];

/** Files that say how others are found or compiled. */
const CONFIGURATION = ['package.json', 'tsconfig.json'];
/** Folders, and files that can be imported; others come and go. */
const IMPORTABLE = /^[^.]+$|\.(?:[cm]?[jt]sx?|json)$/;
const NOTHING = '-';

export function factsOf({ files, packages }: BundleInputs): Fact[] {
  const paths = new Set(files);
  const folders = new Set<string>();
  for (const file of files) addSurroundings(file, paths, folders);
  for (const path of [...paths].filter((name) => name.endsWith('tsconfig.json'))) addExtended(path, paths);
  return [
    ...[...paths].map((path): Fact => ['file', path, contentOf(path)]),
    ...[...folders].map((path): Fact => ['folder', path, namesIn(path)]),
    ...[...new Set(packages.map(({ from, name }) => `${from}\0${name}`))].map((key): Fact => ['package', key, placeOf(key)]),
  ];
}

/** Whether everything is as it was. */
export function stillHolds(facts: readonly Fact[]): boolean {
  return facts.every(([kind, subject, found]) => LOOK[kind](subject) === found);
}

const LOOK: Readonly<Record<Fact[0], (subject: string) => string>> = { file: contentOf, folder: namesIn, package: placeOf };

/** Bare specifiers name packages: `zod/v4` names `zod`. */
export function packageName(specifier: string): string | undefined {
  if (/^[./#]|^[a-z][a-z0-9+.-]*:/i.test(specifier) || isAbsolute(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

/** From a file up to the root of its package: folders and configuration. A package of node_modules is fixed by its manifest. */
function addSurroundings(file: string, paths: Set<string>, folders: Set<string>): void {
  const isLibrary = packageOf(file) !== undefined;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (folders.has(folder)) return;
    if (!isLibrary) folders.add(folder);
    const isRoot = exists(join(folder, 'package.json'));
    for (const name of isLibrary ? CONFIGURATION.slice(0, 1) : CONFIGURATION) if (exists(join(folder, name))) paths.add(join(folder, name));
    if (isRoot || folder === dirname(folder)) return;
  }
}

/** A tsconfig may stand on others. */
function addExtended(path: string, paths: Set<string>): void {
  const [, one, list] = /"extends"\s*:\s*(?:"([^"]+)"|\[([^\]]*)\])/.exec(readFileSync(path, 'utf8')) ?? [];
  const names = one === undefined ? [...(list ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1]!) : [one];
  for (const name of names.filter((given) => given.startsWith('.'))) {
    const base = resolve(dirname(path), name.endsWith('.json') ? name : `${name}.json`);
    if (paths.has(base) || !exists(base)) continue;
    paths.add(base);
    addExtended(base, paths);
  }
}

function exists(path: string): boolean {
  return contentOf(path) !== NOTHING;
}

function contentOf(path: string): string {
  return look(() => createHash('sha256').update(readFileSync(path)).digest('base64'));
}

function namesIn(path: string): string {
  return look(() => createHash('sha256').update(readdirSync(path).filter((name) => IMPORTABLE.test(name)).sort().join('\n')).digest('base64'));
}

/** Where a package that is imported from a folder really lies. */
function placeOf(key: string): string {
  const [from = '', name = ''] = key.split('\0');
  for (let folder = from; ; folder = dirname(folder)) {
    const found = look(() => realpathSync(join(folder, 'node_modules', name)));
    if (found !== NOTHING || folder === dirname(folder)) return found;
  }
}

function look(at: () => string): string {
  try {
    return at();
  } catch {
    return NOTHING;
  }
}
