#!/usr/bin/env node
// The `perdure` command. Its code is built into ../dist; a fresh checkout has none until `npm run build`.
import { existsSync } from 'node:fs';
import module from 'node:module';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('perdure: not built yet. Run `npm run build` (or `npm start`) in the checkout first.');
  process.exit(1);
}
module.enableCompileCache?.(); // Node 22 and newer: the second start compiles nothing
await import(main.href);
