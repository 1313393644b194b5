// Run by npm around `npm pack` and `npm publish` in a workspace whose sources are ES modules: puts the same code as CommonJS into `dist/cjs`, for
// whoever calls `require()` on a Node that cannot load ES modules with it (before 20.19 and 22.12), or in a tool that cannot, such as Jest.
// node ../scripts/commonjs.mjs add|remove
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const FROM = 'dist';
const TO = join('dist', 'cjs');

rmSync(TO, { recursive: true, force: true });
if (process.argv[2] === 'add') {
  const files = readdirSync(FROM, { recursive: true }).map((name) => join(FROM, name));
  // Module by module, so that what several entry points share is there once.
  await build({
    entryPoints: files.filter((name) => name.endsWith('.js')),
    outbase: FROM,
    outdir: TO,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    keepNames: true,
    define: { 'import.meta.url': '__moduleUrl' },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  });
  for (const types of files.filter((name) => name.endsWith('.d.ts'))) {
    const to = join(TO, types.slice(FROM.length + 1));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(types, to);
  }
  // Files below are CommonJS, for Node and for TypeScript.
  writeFileSync(join(TO, 'package.json'), '{ "type": "commonjs" }\n');
}
