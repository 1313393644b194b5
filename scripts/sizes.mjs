// `npm run sizes`: what the packages weigh: to download, unpacked, installed with all they depend on; what a bundle of workflows weighs and how long it takes;
// how long the entries take to load. `--official` installs the official packages beside them for comparison. Needs the package registry for the installs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

const work = mkdtempSync(join(tmpdir(), 'perdure-sizes-'));
const kB = (bytes) => `${(bytes / 1000).toFixed(bytes < 100_000 ? 1 : 0)} kB`;
const MB = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const row = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(46) : String(cell).padStart(12))).join(' '));

const bytesIn = (folder) => {
  let bytes = 0;
  let files = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    bytes += statSync(join(entry.parentPath, entry.name)).size;
    files += 1;
  }
  return { bytes, files };
};

const npm = (args, cwd) => execFileSync('npm', [...args, '--silent', '--no-audit', '--no-fund'], { cwd, encoding: 'utf8' });

const project = (name, ...packages) => {
  const folder = join(work, name);
  execFileSync('mkdir', ['-p', folder]);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(['install', ...packages], folder);
  return folder;
};

/** The shortest of some starts, in milliseconds, beside that of an empty program. */
const loadMs = (folder, specifier) => {
  const code = specifier === undefined ? '0' : `import ${JSON.stringify(specifier)}`;
  const run = () => {
    const started = performance.now();
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: folder });
    return performance.now() - started;
  };
  return Math.min(...Array.from({ length: 5 }, run));
};

try {
  console.log('Packages');
  row('', 'tarball', 'unpacked', 'files');
  const tarballs = {};
  for (const workspace of ['worker-sdk', 'cli', 'server', 'eslint-plugin']) {
    const [packed] = Object.values(JSON.parse(npm(['pack', '--json', '--pack-destination', work], join(ROOT, workspace))));
    tarballs[workspace] = join(work, packed.filename.replace('@', '').replace('/', '-'));
    row(packed.name, kB(packed.size), kB(packed.unpackedSize), packed.entryCount);
  }

  console.log('\nInstalled, with everything that is needed to run a worker');
  const ours = project('ours', tarballs['worker-sdk']);
  const show = (name, folder) => {
    const { bytes, files } = bytesIn(join(folder, 'node_modules'));
    row(name, MB(bytes), `${files} files`, `${readdirSync(join(folder, 'node_modules', '.bin')).length} commands`);
  };
  show('@perdure/sdk', ours);
  if (process.argv.includes('--official')) show('@temporalio/{worker,client,workflow,activity}', project('official', ...['worker', 'client', 'workflow', 'activity'].map((name) => `@temporalio/${name}`)));

  console.log('\nBundles of workflows (without source map)');
  const { bundleWorkflowCode, DefaultLogger } = await import('@perdure/sdk/worker');
  for (const [name, workflowsPath] of [['hello', 'examples/hello/workflows.mjs'], ['refund agent', 'examples/refund-agent/workflows.ts'], ['one that imports zod', 'bench/workflows/with-zod.ours.mjs']]) {
    const logger = new DefaultLogger('ERROR');
    await bundleWorkflowCode({ workflowsPath: join(ROOT, workflowsPath), logger });
    const started = performance.now();
    const { code } = await bundleWorkflowCode({ workflowsPath: join(ROOT, workflowsPath), logger });
    row(name, kB(code.indexOf('//# sourceMappingURL')), `${Math.round(performance.now() - started)} ms`);
  }

  console.log('\nLoading, beside an empty program');
  const empty = loadMs(ours);
  for (const entry of ['workflow', 'activity', 'client', 'worker']) row(`@perdure/sdk/${entry}`, `${Math.round(loadMs(ours, `@perdure/sdk/${entry}`) - empty)} ms`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
