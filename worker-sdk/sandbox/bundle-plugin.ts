/** How modules are found while workflow code is bundled: which are the user's, which are libraries, and which must not be there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import type { OnLoadArgs, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from 'esbuild';
import { builtinName, STAND_INS } from './builtin-modules.js';
import { MODULES_FOLDER } from './sdk-folder.js';

/** Specifiers that the output leaves for the sandbox to resolve. */
export const LIBRARY_PREFIX = 'perdure-library:';
export const FORBIDDEN_PREFIX = 'perdure-forbidden:';

/** A file of this package: `.js` where it is built, `.ts` where it runs from source. */
export function sdkFile(name: string): string {
  const base = join(MODULES_FOLDER, name);
  return existsSync(`${base}.js`) ? `${base}.js` : `${base}.ts`;
}

/** Whether a file is one of this package. */
export function isSdkFile(path: string): boolean {
  return path.startsWith(dirname(dirname(sdkFile('workflow/index'))));
}

/** Modules of the SDK that workflow code may import, by what people write. */
const SDK_MODULES: Readonly<Record<string, string>> = {
  '@perdure/sdk': 'index',
  '@perdure/sdk/workflow': 'workflow/index',
  '@perdure/sdk/opentelemetry/workflow': 'opentelemetry/workflow/index',
  '@perdure/sdk/opentelemetry/workflow-interceptors': 'opentelemetry/workflow/interceptors',
  '@perdure/sdk/protobufs': 'payload/protobuf-payload-converters',
};

/** What it has for the other side: a file of activities that is imported by accident most often imports one of these. */
const OUTSIDE_MODULES: ReadonlySet<string> = new Set(
  ['activity', 'client', 'opentelemetry', 'testing', 'worker'].map((name) => `@perdure/sdk/${name}`),
);

export interface ForbiddenImport {
  module: string;
  importer: string;
}

export interface ModuleRules {
  /** Modules that the user says are never used at run time. */
  ignored: ReadonlySet<string>;
  /** Packages to be instantiated once per run although they are libraries. */
  perRun: ReadonlySet<string>;
  /** Told what is imported, and from which folder. */
  lookedFor: (specifier: string, from: string) => void;
}

/** Libraries that user code imports, numbered in the order in which they are met. */
export class LibraryList {
  readonly paths: string[] = [];

  numberOf(path: string): number {
    const known = this.paths.indexOf(path);
    return known >= 0 ? known : this.paths.push(path) - 1;
  }
}

const NODE_MODULES = /[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/g;

/** Name of the package in node_modules that a file belongs to. */
export function packageOf(path: string): string | undefined {
  return [...path.matchAll(NODE_MODULES)].at(-1)?.[1]?.replace('\\', '/');
}

/** For the user's modules: what they import from libraries is left out of the output. */
export function userModulesPlugin(rules: ModuleRules, libraries: LibraryList, forbidden: ForbiddenImport[]): Plugin {
  return {
    name: 'perdure-user-modules',
    setup(build) {
      resolveSpecial(build, rules, (module, importer) => forbidden.push({ module, importer }));
      build.onResolve({ filter: /.*/ }, async (args) => {
        if (args.pluginData === 'resolved' || args.kind === 'entry-point') return undefined;
        const path = await realPath(build, args);
        if (path === undefined) return undefined;
        const owner = packageOf(path);
        if (!isSdkFile(path) && (owner === undefined || rules.perRun.has(owner))) return undefined;
        const mode = isNodeModule(args.importer) ? 'node' : 'plain';
        return { path: `${LIBRARY_PREFIX}${libraries.numberOf(path)}:${mode}`, external: true };
      });
    },
  };
}

/** For the libraries, which are bundled whole. */
export function libraryPlugin(rules: ModuleRules): Plugin {
  return { name: 'perdure-libraries', setup: (build) => resolveSpecial(build, rules, () => undefined) };
}

/** Native addons: nothing of theirs can run in the sandbox. */
const NATIVE = /\.node$/;

/** A name stands for the module, with or without `node:`, and for everything below it: `aws` for `aws/s3` too. */
function isIgnored(ignored: ReadonlySet<string>, specifier: string): boolean {
  const wanted = specifier.replace(/^node:/, '');
  for (const name of ignored) {
    const given = name.replace(/^node:/, '');
    if (wanted === given || wanted.startsWith(`${given}/`)) return true;
  }
  return false;
}

async function realPath(build: PluginBuild, args: OnResolveArgs): Promise<string | undefined> {
  const { importer, namespace, resolveDir, kind } = args;
  const found = await build.resolve(args.path, { importer, namespace, resolveDir, kind, pluginData: 'resolved' });
  return found.errors.length > 0 || found.external || found.namespace !== 'file' ? undefined : found.path;
}

function resolveSpecial(build: PluginBuild, rules: ModuleRules, report: (module: string, importer: string) => void): void {
  build.onResolve({ filter: /^@perdure\/sdk(?:\/|$)/ }, (args) => {
    const file = SDK_MODULES[args.path];
    if (file === undefined || args.pluginData === 'resolved') return undefined;
    return build.resolve(sdkFile(file), { resolveDir: args.resolveDir, kind: args.kind, importer: args.importer });
  });
  build.onResolve({ filter: /.*/ }, (args): OnResolveResult | undefined => {
    rules.lookedFor(args.path, args.resolveDir);
    if (isIgnored(rules.ignored, args.path)) return { path: `${FORBIDDEN_PREFIX}${args.path}`, external: true };
    const name = OUTSIDE_MODULES.has(args.path) || NATIVE.test(args.path) ? args.path : builtinName(args.path);
    if (name === undefined) return undefined;
    if (name in STAND_INS) return { path: name, namespace: 'perdure-stand-in' };
    // A library may have its reasons, and other ways; in the user's own code it is a mistake.
    if (packageOf(args.importer) === undefined && args.namespace === 'file') report(args.path, args.importer);
    return { path: `${FORBIDDEN_PREFIX}${name}`, external: true };
  });
  build.onLoad({ filter: /.*/, namespace: 'perdure-stand-in' }, (args: OnLoadArgs) => ({
    contents: STAND_INS[args.path] ?? '',
    loader: 'js',
  }));
}

const moduleTypes = new Map<string, boolean>();

/** Whether Node runs a file as an ES module, where a default import of CommonJS is all of it. */
function isNodeModule(file: string): boolean {
  const extension = extname(file);
  if (extension === '.mjs' || extension === '.mts') return true;
  if (extension === '.cjs' || extension === '.cts') return false;
  return isModuleFolder(dirname(file));
}

function isModuleFolder(folder: string): boolean {
  const known = moduleTypes.get(folder);
  if (known !== undefined) return known;
  const manifest = join(folder, 'package.json');
  const parent = dirname(folder);
  const isModule = existsSync(manifest)
    ? (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type === 'module'
    : parent !== folder && isModuleFolder(parent);
  moduleTypes.set(folder, isModule);
  return isModule;
}
