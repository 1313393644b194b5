// Brings a checkout to where it can run: packages installed as the lock file says, sources compiled. Needs nothing but Node and npm, for nothing is installed yet.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { signOfLife } from './sign-of-life.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = 20;

/** Ends the process with a plain sentence when this Node is too old for what follows. */
export const requireNode = () => {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= OLDEST_NODE) return;
  console.error(`Perdure needs Node ${OLDEST_NODE} or newer; this is ${process.version}.`);
  process.exit(1);
};

/**
 * Runs a command in the checkout, quietly, with a sign of life. Its output is shown when it fails.
 * @returns {Promise<void>}
 */
export const quietly = async (what, command, args) => {
  const done = signOfLife(what);
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve(1);
    });
    child.once('close', (status) => resolve(status ?? 1));
  });
  done(code === 0 ? 'done' : `failed (exit code ${code})`);
  if (code === 0) return;
  process.stderr.write(`${output}\n`);
  process.exit(1);
};

const readJson = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);

/** Why the installed packages are not those of the lock file; undefined when they are. npm notes what it installed in `node_modules/.package-lock.json`. */
const whyStale = () => {
  const installed = readJson(join(ROOT, 'node_modules', '.package-lock.json'))?.packages;
  if (installed === undefined) return 'nothing is installed';
  const locked = readJson(join(ROOT, 'package-lock.json')).packages;
  for (const [path, { version, link, optional }] of Object.entries(locked)) {
    if (!path.includes('node_modules/')) continue;
    const found = installed[path];
    if (found === undefined && optional) continue; // for another system
    if (found === undefined || found.version !== version || Boolean(found.link) !== Boolean(link)) return `${path} differs`;
  }
  return undefined;
};

export const install = async () => {
  const reason = whyStale();
  if (reason !== undefined) await quietly(`installing packages (${reason})`, 'npm', ['ci', '--no-audit', '--no-fund']);
};

/** Compiles; without projects, all of the checkout. Where the engine is among them, joins it into one piece. What is up to date costs a moment only. */
export const build = async (projects = []) => {
  await quietly('compiling', process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', ...projects]);
  if (projects.length === 0 || projects.includes('server')) await quietly('joining', process.execPath, [join(ROOT, 'scripts', 'bundle.mjs')]);
};
