/**
 * The SDK of the project that a verb is called in. Not one that comes with the CLI: code is to be replayed and bundled by the version that its
 * workers run, and a server does not need it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as WorkerSdk from '@perdure/sdk/worker';
import { UserError } from '../errors.js';

export type Sdk = typeof WorkerSdk;

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
