// `npm run check`: everything that must hold before a change is done. Names as arguments run only those: `npm run check -- types lint`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { install, requireNode, ROOT } from './prepare.mjs';

requireNode();
await install();

const tool = (path) => join(ROOT, 'node_modules', path);
const rooms = ['server', 'worker-sdk', 'cli', 'eslint-plugin', 'examples', 'test', 'web'].filter((room) => existsSync(join(ROOT, room)));
const built = ['server/dist', 'worker-sdk/dist', 'cli/dist', 'eslint-plugin/dist'];

/** In this order: what fails fastest first; what reads compiled files after the compiler. */
const checks = {
  types: [tool('typescript/bin/tsc'), '-b'],
  lint: [tool('@biomejs/biome/bin/biome'), 'lint', '--error-on-warnings', '--diagnostic-level=warn', '.'],
  imports: [tool('dependency-cruiser/bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser.cjs', ...rooms],
  cycles: [tool('dependency-cruiser/bin/dependency-cruise.mjs'), '--config', '.dependency-cruiser-cycles.cjs', ...built],
  unused: [tool('knip/bin/knip.js'), '--no-config-hints'],
  lock: [join(ROOT, 'scripts', 'lock-file.mjs')],
  sizes: [join(ROOT, 'scripts', 'file-sizes.mjs')],
  parity: [join(ROOT, 'scripts', 'sdk-parity.mjs')],
  'public-types': [join(ROOT, 'scripts', 'public-types.mjs')],
  tests: [tool('vitest/vitest.mjs'), 'run'],
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
const unknown = wanted.filter((name) => !Object.hasOwn(checks, name));
if (unknown.length > 0) {
  console.error(`No such check: ${unknown.join(', ')}. There are ${Object.keys(checks).join(', ')}.`);
  process.exit(2);
}

const failed = wanted.filter((name) => {
  console.log(`\n== ${name}`);
  return spawnSync(process.execPath, checks[name], { cwd: ROOT, stdio: 'inherit' }).status !== 0;
});
console.log(failed.length === 0 ? `\nAll of ${wanted.join(', ')} hold.` : `\nFailed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
