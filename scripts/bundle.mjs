// Joins the compiled engine into few files, which Node loads faster than hundreds (docs/decisions/0067-start.md). Our own code, and of packages
// those that are as many files as ours: the others stay what npm installed.
// Run after the compiler; where nothing changed it costs a moment.
import { copyFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const DIST = join(dirname(dirname(fileURLToPath(import.meta.url))), 'server', 'dist');
const ENTRIES = ['main.js', 'group-member.js'];
const PIECE = join(DIST, 'bundle');
const require = createRequire(join(DIST, 'main.js'));
/** A hundred files, of which a start uses a few. */
const JOINED_PACKAGES = ['zod'];
const { dependencies } = JSON.parse(readFileSync(join(dirname(DIST), 'package.json'), 'utf8'));

const { inOnePiece } = await import(pathToFileURL(join(DIST, 'bundle.js')).href);
const isFresh = () => ENTRIES.every((entry) => inOnePiece(entry).pathname.endsWith(`/bundle/${entry}`));

const stamp = (path) => {
  const { size, mtimeMs } = statSync(join(DIST, path));
  return [size, mtimeMs];
};

/** As deep as its place, so that what the source maps say of the way to the sources stays true. */
const make = async (folder) => {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    absWorkingDir: DIST,
    entryPoints: ENTRIES,
    outdir: folder,
    bundle: true,
    splitting: true,
    external: Object.keys(dependencies).filter((name) => !JOINED_PACKAGES.includes(name)),
    platform: 'node',
    target: 'node20',
    format: 'esm',
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  for (const name of JOINED_PACKAGES) copyFileSync(join(dirname(require.resolve(`${name}/package.json`)), 'LICENSE'), join(folder, `LICENSE.${name}`));
  const files = Object.keys(metafile.inputs).filter((path) => !path.includes('node_modules/')).sort();
  writeFileSync(join(folder, 'files.json'), JSON.stringify(Object.fromEntries(files.map((path) => [path, stamp(path)]))));
};

if (!isFresh()) {
  const half = `${PIECE}.new-${process.pid}`;
  try {
    await make(half);
    rmSync(PIECE, { recursive: true, force: true });
    renameSync(half, PIECE);
  } catch (error) {
    if (!isFresh()) throw error; // otherwise another process was faster
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}
