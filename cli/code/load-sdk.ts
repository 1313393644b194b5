/**
 * The SDK of the project that a verb is called in. Not one that comes with the CLI: code is to be replayed and bundled by the version that its
 * workers run, and a server does not need it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UserError } from '../errors.js';

/** Of `@perdure/sdk/worker`, what the verbs use; a test holds it against the real one. */
export interface Sdk {
  readonly Worker: {
    runReplayHistories(options: ReplayWorkerOptions, histories: AsyncIterable<{ workflowId: string; history: unknown }>): AsyncIterableIterator<ReplayResult>;
  };
  readonly bundleWorkflowCode: (options: BundlerOptions & { workflowsPath: string; logger: Logger; workflowInterceptorModules?: string[]; payloadConverterPath?: string; failureConverterPath?: string }) => Promise<{ code: string; sourceMap: string }>;
  readonly Runtime: { install(options: { logger: Logger }): unknown };
  readonly DefaultLogger: new (level: 'WARN' | 'ERROR') => Logger;
}

interface BundlerOptions {
  ignoreModules?: string[];
  perRunModules?: string[];
}

export interface ReplayWorkerOptions {
  workflowsPath?: string;
  workflowBundle?: { codePath: string };
  bundlerOptions?: BundlerOptions;
  dataConverter?: DataConverter;
  interceptors?: { workflowModules?: string[] };
}

/** Files and codecs of the user's; the CLI only passes them on. */
export interface DataConverter {
  payloadConverterPath?: string;
  failureConverterPath?: string;
  payloadCodecs?: never[];
}

interface ReplayResult {
  readonly runId: string;
  readonly error?: Error;
}

/** Made by the SDK for itself. */
type Logger = { log(level: never, message: string, meta?: never): unknown } & Record<'trace' | 'debug' | 'info' | 'warn' | 'error', (message: string, meta?: never) => unknown>;

/** Where code and history part ways: `mismatch` of the SDK's DeterminismViolationError. */
export interface HistoryMismatch {
  readonly code: string | undefined;
  readonly history: string;
  readonly eventId: number;
  readonly eventType: string;
  readonly issuedAt?: string;
  readonly location?: { readonly functionName?: string; readonly file: string; readonly line: number; readonly column: number };
  readonly advice: string;
}

const NAME = '@perdure/sdk';

/** The worker's half of the SDK, as it is found from the first of these folders; else from where the CLI lies. */
export const loadSdk = async (folders: readonly string[]): Promise<Sdk> => {
  for (const from of [...folders.map((folder) => join(folder, 'package.json')), fileURLToPath(import.meta.url)]) {
    const path = resolveFrom(from);
    if (path !== undefined) return (await import(pathToFileURL(path).href)) as Sdk;
  }
  throw new UserError(`${NAME} is not installed here (looked from ${folders.join(', ')}). Run \`npm install ${NAME}\` in the project of the workflows.`, 2);
};

/** The ES module, which every Node can import: what `resolve` finds by itself depends on the Node. */
const resolveFrom = (from: string): string | undefined => {
  try {
    const manifest = createRequire(from).resolve(`${NAME}/package.json`);
    const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports: { './worker': { import: { default: string } } } };
    return join(dirname(manifest), exports['./worker'].import.default);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
};
