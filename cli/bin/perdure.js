#!/usr/bin/env node
// The `perdure` command. Its code is built into ../dist; a fresh checkout has none until `npm run build`.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  console.error('perdure: not built yet. Run `npm run build` (or `npm start`) in the checkout first.');
  process.exit(1);
}
await import(main.href);
