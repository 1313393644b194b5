/** What a package brings along: its own files and those of all that it depends on, as they lie in node_modules. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where Node would find a package from a folder. */
function find(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (dirname(folder) === folder) return undefined;
  }
}

function bytesOf(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path)
    .filter((name) => name !== 'node_modules')
    .reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

/** Of a package of this repository only what is published. */
function publishedBytes(folder, files) {
  const left = (name) => name.endsWith('.map') || name.endsWith('.tsbuildinfo');
  const walk = (path) => {
    const stat = statSync(path);
    if (!stat.isDirectory()) return left(path) ? 0 : stat.size;
    return readdirSync(path).reduce((sum, name) => sum + walk(join(path, name)), 0);
  };
  return files.filter((name) => !name.startsWith('!') && existsSync(join(folder, name))).reduce((sum, name) => sum + walk(join(folder, name)), 0);
}

/** @returns {{ bytes: number, packages: number }} */
export function installSize(names, from) {
  const seen = new Map();
  const visit = (name, folder, optional) => {
    const path = find(name, folder);
    if (!path) {
      if (optional) return;
      throw new Error(`${name} is not installed: expected it in node_modules above ${folder}`);
    }
    if (seen.has(path)) return;
    const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    const isOwn = !path.includes('node_modules');
    seen.set(path, isOwn ? publishedBytes(path, manifest.files ?? []) : bytesOf(path));
    for (const dependency of Object.keys(manifest.dependencies ?? {})) visit(dependency, path, false);
    // Binaries for this platform; those for others are not there.
    for (const dependency of Object.keys(manifest.optionalDependencies ?? {})) visit(dependency, path, true);
  };
  for (const name of names) visit(name, from, false);
  return { bytes: [...seen.values()].reduce((sum, bytes) => sum + bytes, 0), packages: seen.size };
}
