// The lock file must hold the packages of every platform (else `npm ci` refuses it, on all of them) and no download address (it would be that of whoever wrote it).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

/** Where node would find a dependency of the package at `path`; undefined when the lock has none. */
const resolved = (path, name) => {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const candidate = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (folder === '') return undefined;
    if (!folder.includes('/node_modules/')) folder = '';
  }
};

const faults = Object.entries(packages).flatMap(([path, entry]) => [
  ...Object.keys(entry.optionalDependencies ?? {})
    .filter((name) => resolved(path, name) === undefined)
    .map((name) => `${path}@${entry.version} wants ${name}, which the lock file does not hold: choose a version that is published for every platform`),
  ...(entry.resolved?.startsWith('http') ? [`${path} has a download address`] : []),
]);
for (const fault of faults) console.error(fault);
console.log(`${Object.keys(packages).length} locked packages`);
process.exit(faults.length === 0 ? 0 : 1);
