/**
 * Bundles kept on disk, so that a worker whose code has not changed starts without bundling. One file an entry, named by the options and
 * versions: its first line says what the bundle was made from and what the rest must hash to. Whatever is wrong with an entry, it is made anew.
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import type { BundleOptions } from '../replay/workflow-host.js';
import { SDK_VERSION } from '../replay/sdk-name.js';
import { factsOf, stillHolds } from './bundle-inputs.js';
import { BUNDLE_VERSION, bundleWorkflows, type WorkflowBundle } from './bundler.js';
import { bundleToText, type LoadedBundle, splitText } from './load-bundle.js';

/** Kept at most; the ones used longest ago go first. */
const MAX_ENTRIES = 50;
/** What a worker left behind that ended while it wrote. */
const ABANDONED_MS = 3_600_000;
const FORMAT = 1;

export interface CachedBundle extends LoadedBundle {
  fromCache: boolean;
}

/** The bundle from the cache, or a new one. `cache` is `false`, a folder, or `true` for the default. */
export async function bundleThroughCache(options: BundleOptions, cache: boolean | string = true): Promise<CachedBundle> {
  const folder = cacheFolder(options.workflowsPath, cache);
  if (folder === undefined) return { ...(await bundleWorkflows(options)), fromCache: false };
  const path = join(folder, `${keyOf(options)}.bundle`);
  const found = await read(path);
  if (found) return { ...found, fromCache: true };
  const startedMs = Date.now();
  const bundle = await bundleWorkflows(options);
  // A cache that cannot be written must not keep a worker from starting.
  await write(path, bundle, startedMs).catch(() => undefined);
  return { ...bundle, fromCache: false };
}

/**
 * Where entries lie: what the options say, else what PERDURE_BUNDLE_CACHE says (a folder, or `off`), else `node_modules/.cache/perdure` beside
 * the workflows. Never a folder that others can write to: what lies there is run.
 */
export function cacheFolder(workflowsPath: string, cache: boolean | string = true, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (cache === false) return undefined;
  if (typeof cache === 'string') return resolve(cache);
  const given = env.PERDURE_BUNDLE_CACHE;
  if (given) return given === 'off' ? undefined : resolve(given);
  for (let folder = dirname(resolve(workflowsPath)); ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    if (existsSync(modules)) return join(modules, '.cache', 'perdure');
    if (folder === dirname(folder)) return undefined;
  }
}

/** Whatever but the code decides what a bundle is. */
function keyOf(options: BundleOptions): string {
  const { version: esbuild } = createRequire(import.meta.url)('esbuild/package.json') as { version: string };
  const { workflowsPath, workflowInterceptorModules, payloadConverterPath, failureConverterPath, ignoreModules, perRunModules } = options;
  const given = { workflowsPath: resolve(workflowsPath), workflowInterceptorModules, payloadConverterPath, failureConverterPath, ignoreModules, perRunModules };
  // Source maps name files by their way from the working directory.
  const key = { format: FORMAT, bundle: BUNDLE_VERSION, sdk: SDK_VERSION, esbuild, folder: process.cwd(), ...given };
  return createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
}

interface Header {
  facts: ReturnType<typeof factsOf>;
  sha256: string;
}

async function read(path: string): Promise<LoadedBundle | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    const end = text.indexOf('\n');
    const { facts, sha256 } = JSON.parse(text.slice(0, end)) as Header;
    const bundle = text.slice(end + 1);
    if (digest(bundle) !== sha256 || !stillHolds(facts)) return undefined;
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined); // it is of use
    return splitText(bundle);
  } catch {
    return undefined;
  }
}

async function write(path: string, bundle: WorkflowBundle, startedMs: number): Promise<void> {
  // Which content was bundled of a file that changed meanwhile, nobody knows.
  if (bundle.inputs.files.some((file) => statSync(file).mtimeMs >= startedMs)) return;
  const text = bundleToText(bundle);
  await mkdir(dirname(path), { recursive: true });
  const header: Header = { facts: factsOf(bundle.inputs), sha256: digest(text) };
  const unfinished = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.unfinished`;
  try {
    await writeFile(unfinished, `${JSON.stringify(header)}\n${text}`);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  await prune(dirname(path), basename(path));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

async function prune(folder: string, justWritten: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name !== justWritten && /\.(?:bundle|unfinished)$/.test(name));
  const entries = await Promise.all(names.map(async (name) => ({ name, usedMs: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })));
  const isLeftOver = ({ name, usedMs }: (typeof entries)[0]): boolean => name.endsWith('.unfinished') && usedMs < Date.now() - ABANDONED_MS;
  const kept = entries.filter(({ name }) => name.endsWith('.bundle')).sort((a, b) => b.usedMs - a.usedMs);
  for (const { name } of [...kept.slice(MAX_ENTRIES - 1), ...entries.filter(isLeftOver)]) await rm(join(folder, name), { force: true });
}
