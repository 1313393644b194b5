/**
 * Bundles workflow code with esbuild: the realm, the libraries (evaluated once per worker) and the user's modules (a function that is called
 * once per run), as one script whose value is a {@link BundleFactory}.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, BuildResult, Metafile, Plugin } from 'esbuild';
import { type BundleInputs, packageName } from './bundle-inputs.js';
import type { Realm } from './realm/index.js';
import type { RealmHost } from './realm/host.js';
import {
  FORBIDDEN_PREFIX,
  type ForbiddenImport,
  LIBRARY_PREFIX,
  isSdkFile,
  LibraryList,
  libraryPlugin,
  type ModuleRules,
  sdkFile,
  userModulesPlugin,
} from './bundle-plugin.js';
import { GLOBAL_NAMES } from './global-names.js';
import type { BundleOptions } from '../replay/workflow-host.js';

/** Changes when a bundle of an older SDK cannot be run any more. */
export const BUNDLE_VERSION = 2;

/** The value of a bundle's script. */
export interface BundleFactory {
  version: number;
  globalNames: string[];
  realm(): { installRealm(host: RealmHost): Realm };
  /** Evaluates the libraries; `require` gives stand-ins for forbidden modules. */
  libraries(globals: unknown[], require: (specifier: string) => unknown): LibraryExports;
  /** Called once; returns the function that makes the user's modules for a run. */
  workflows(
    globals: unknown[],
  ): (library: (specifier: string) => unknown, require: (specifier: string) => unknown, global: object) => unknown;
}

export interface LibraryExports {
  runtime: typeof import('../workflow/runtime.js');
  /** The SDK's own modules, to be frozen. */
  sdk: unknown[];
  /** Whether the library of a number is of the SDK. */
  isSdk: boolean[];
  /** The modules that the user gave for converters. */
  payloadConverter?: Record<string, unknown>;
  failureConverter?: Record<string, unknown>;
  /** Module of a library by its number, as CommonJS sees it. */
  modules: (() => unknown)[];
}

/** A source map by sections, as the runtime reads it. */
export interface IndexMap {
  version: 3;
  sections: { offset: { line: number; column: number }; map: object }[];
}

export interface WorkflowBundle {
  code: string;
  sourceMap: IndexMap;
  /** What it was made from. */
  inputs: BundleInputs;
  /** How long it took, in milliseconds. */
  durationMs: number;
}

/** Thrown when workflow code cannot be bundled. */
export class WorkflowBundleError extends Error {}
Object.defineProperty(WorkflowBundleError.prototype, 'name', { value: 'WorkflowBundleError', configurable: true, writable: true });

/** Bundles workflow code. */
export async function bundleWorkflows(options: BundleOptions): Promise<WorkflowBundle> {
  const started = performance.now();
  const packages: { from: string; name: string }[] = [];
  const lookedFor = (specifier: string, from: string): void => {
    const name = packageName(specifier);
    if (name !== undefined) packages.push({ from, name });
  };
  const rules: ModuleRules = { ignored: new Set(options.ignoreModules), perRun: new Set(options.perRunModules), lookedFor };
  const libraries = new LibraryList();
  const forbidden: ForbiddenImport[] = [];
  const [realm, user] = await Promise.all([buildRealm(), buildUser(options, userModulesPlugin(rules, libraries, forbidden))]);
  if (forbidden.length > 0) throw forbiddenError(forbidden);
  const shared = await buildLibraries(options, libraries.paths, libraryPlugin(rules));
  const { code, sourceMap } = assemble(realm, shared, user);
  const files = [...new Set([realm, shared, user].flatMap((part) => part.files))];
  return { code, sourceMap, inputs: { files, packages }, durationMs: performance.now() - started };
}

interface Part {
  code: string;
  map: object;
  /** Absolute paths of what is in it. */
  files: string[];
}

type Output = BuildResult<{ write: false; metafile: true }>;

const COMMON = {
  bundle: true,
  platform: 'browser',
  conditions: ['workflow', 'module'] as string[],
  target: 'es2023',
  sourcemap: 'external',
  sourcesContent: true,
  outfile: 'bundle.js',
  keepNames: true,
  legalComments: 'none',
  logLevel: 'silent',
  // Modules of a run are made in one go.
  supported: { 'top-level-await': false },
  // Where a file lies on one machine is nothing that a workflow may depend on.
  define: {
    'process.env.NODE_ENV': '"production"',
    'import.meta.url': '"file:///workflow/index.js"',
    __filename: '"/workflow/index.js"',
    __dirname: '"/workflow"',
  },
} as const;

async function run(what: string, options: BuildOptions): Promise<Part> {
  let output: Output;
  try {
    // Not before it is needed: a worker whose bundle was made before starts without it.
    const { build } = await import('esbuild');
    output = await build({ ...COMMON, ...options, write: false, metafile: true });
  } catch (error) {
    const errors =
      (error as { errors?: { text: string; location?: { file: string; line: number; column: number } | null }[] }).errors ?? [];
    const lines = errors.map(({ text, location }) => (location ? `${location.file}:${location.line}:${location.column}: ${text}` : text));
    throw new WorkflowBundleError(`Could not bundle ${what}:\n${lines.join('\n') || String(error)}`, { cause: error });
  }
  const code = output.outputFiles.find(({ path }) => path.endsWith('.js'))!.text;
  const map = JSON.parse(output.outputFiles.find(({ path }) => path.endsWith('.map'))!.text) as object;
  return { code: cheapNames(code), map, files: filesOf(output.metafile) };
}

/** What comes from elsewhere has a name with a colon. */
function filesOf({ inputs }: Metafile): string[] {
  return Object.keys(inputs)
    .map((name) => resolve(name))
    .filter((path) => existsSync(path));
}

/** esbuild's helper defines the name of every function again; most have it already. */
function cheapNames(code: string): string {
  return code.replace(
    'var __name = (target, value) => __defProp(target, "name", { value, configurable: true });',
    'var __name = (target, value) => target.name === value ? target : __defProp(target, "name", { value, configurable: true });',
  );
}

let realmPart: Promise<Part> | undefined;

/** The realm is the same for everybody: built once per process. */
function buildRealm(): Promise<Part> {
  realmPart ??= run('the sandbox', { entryPoints: [sdkFile('sandbox/realm/index')], format: 'cjs' });
  return realmPart;
}

function buildUser(options: BundleOptions, plugin: Plugin): Promise<Part> {
  const interceptors = options.workflowInterceptorModules ?? [];
  const contents = [
    `export * as workflows from ${JSON.stringify(filePath(options.workflowsPath))};`,
    ...interceptors.map(
      (path, i) => `import * as interceptors${i} from ${JSON.stringify(path.startsWith('file:') ? fileURLToPath(path) : path)};`,
    ),
    `export const interceptors = [${interceptors.map((_path, i) => `interceptors${i}`).join(', ')}];`,
  ].join('\n');
  const stdin = { contents, resolveDir: process.cwd(), sourcefile: 'perdure-sandbox:workflows', loader: 'ts' as const };
  // ES modules, because their imports of libraries can be turned into plain lookups; see `importsAsLookups`.
  return run(`workflows of ${options.workflowsPath}`, { stdin, format: 'esm', plugins: [plugin] });
}

function buildLibraries(options: BundleOptions, paths: readonly string[], plugin: Plugin): Promise<Part> {
  const optional = (path: string | undefined) => (path ? `require(${JSON.stringify(filePath(path))})` : 'undefined');
  const contents = [
    `exports.payloadConverter = ${optional(options.payloadConverterPath)};`,
    `exports.failureConverter = ${optional(options.failureConverterPath)};`,
    `exports.runtime = require(${JSON.stringify(sdkFile('workflow/runtime'))});`,
    `exports.sdk = [${[sdkFile('workflow/index'), ...paths.filter(isSdkFile)].map((path) => `require(${JSON.stringify(path)})`).join(', ')}];`,
    `exports.isSdk = ${JSON.stringify(paths.map(isSdkFile))};`,
    `exports.modules = [${paths.map((path) => `() => require(${JSON.stringify(path)})`).join(', ')}];`,
  ].join('\n');
  const stdin = { contents, resolveDir: process.cwd(), sourcefile: 'perdure-sandbox:libraries', loader: 'js' as const };
  return run('the libraries of workflows', {
    define: { ...COMMON.define, PERDURE_SANDBOX: 'true' },
    stdin,
    format: 'cjs',
    plugins: [plugin],
  });
}

/** Paths may be given as `file:` URLs, as `import.meta.resolve` does. */
function filePath(path: string): string {
  return path.startsWith('file:') ? fileURLToPath(path) : resolve(path);
}

function forbiddenError(forbidden: readonly ForbiddenImport[]): WorkflowBundleError {
  const lines = [...new Set(forbidden.map(({ module, importer }) => `  '${module}' imported by ${importer}`))];
  return new WorkflowBundleError(
    `Workflow code imports modules that it must not use, because what they do would not be the same in replay:\n${lines.join('\n')}\n` +
      `Use them in activities. If the import is an accident (a file that holds activities, a barrel of exports), import types with "import type", ` +
      `or split the file. If the module is imported but never used at run time, name it in ignoreModules.`,
  );
}

const IMPORT = new RegExp(`^import ([^;]*?) from "${LIBRARY_PREFIX}([^"]+)";`, 'gm');
const SIDE_EFFECT = new RegExp(`^import "(?:${LIBRARY_PREFIX}|${FORBIDDEN_PREFIX})[^"]+";`, 'gm');
const FORBIDDEN_IMPORT = new RegExp(`^import ([^;]*?) from "${FORBIDDEN_PREFIX}([^"]+)";`, 'gm');
const EXPORTS = /^export \{([^}]*)\};/gm;

/**
 * The user's imports of libraries as lookups in modules that exist already, so that a run pays for the names it uses and not for copies
 * of whole libraries. Line by line the output stays as it is, for the source map.
 */
function importsAsLookups(code: string): string {
  return code
    .replace(IMPORT, (_all, clause: string, id: string) => lookup(clause, `__library("${id}")`))
    .replace(FORBIDDEN_IMPORT, (_all, clause: string, id: string) => lookup(clause, `__library("${FORBIDDEN_PREFIX}${id}")`))
    .replace(SIDE_EFFECT, '')
    .replace(EXPORTS, (_all, names: string) => `return {${names.replace(/([\w$]+) as ([\w$]+)/g, '$2: $1')}};`);
}

function lookup(clause: string, module: string): string {
  const parts = /^(?:([\w$]+))?(?:,\s*)?(?:\* as ([\w$]+)|(\{[\s\S]*\}))?$/.exec(clause.trim());
  const [, byDefault, namespace, names] = parts ?? [];
  const made: string[] = [];
  if (byDefault) made.push(`${byDefault} = ${module}.default`);
  if (namespace) made.push(`${namespace} = ${module}`);
  if (names) made.push(`${names.replace(/ as /g, ': ')} = ${module}`);
  return `const ${made.join(', ')};`;
}

function assemble(realm: Part, libraries: Part, user: Part): { code: string; sourceMap: IndexMap } {
  const parameters = GLOBAL_NAMES.join(', ');
  const chunks: string[] = [];
  const sections: IndexMap['sections'] = [];
  let line = 0;
  const add = (text: string, map?: object): void => {
    if (map) sections.push({ offset: { line, column: 0 }, map });
    chunks.push(text);
    line += text.split('\n').length;
  };
  add(`(() => ({ version: ${BUNDLE_VERSION}, globalNames: ${JSON.stringify(GLOBAL_NAMES)},`);
  add('realm() { const module = { exports: {} }, exports = module.exports;');
  add(realm.code, realm.map);
  add('return module.exports; },');
  add(`libraries([${parameters}], require) { return (() => { const module = { exports: {} }, exports = module.exports;`);
  add(libraries.code, libraries.map);
  add('return exports; })(); },');
  add(
    `workflows([${parameters}]) { return (__library, require, globalThis) => { const global = globalThis, self = globalThis; return (() => { "use strict";`,
  );
  add(importsAsLookups(user.code), user.map);
  add('})(); }; },');
  add('}))()');
  return { code: chunks.join('\n'), sourceMap: { version: 3, sections } };
}
