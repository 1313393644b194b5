// Run by npm around `npm pack` and `npm publish` in a workspace: puts the folders that its code reads beside the code, and takes them away again.
// node ../scripts/package-files.mjs add|remove FOLDER…
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

const [verb, ...folders] = process.argv.slice(2);
for (const folder of folders) {
  rmSync(folder, { recursive: true, force: true });
  if (verb === 'add') cpSync(join(ROOT, folder), folder, { recursive: true });
}
