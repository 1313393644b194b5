/** Finds the workflow code that a verb is about. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CodeOptions } from '../commands/code.js';
import { UserError } from '../errors.js';

const FOLDERS = ['src', '.', 'lib', 'dist'];
const NAMES = ['workflows', 'workflows/index'];
const EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** The file whose exports are the workflows. */
export const workflowsFile = (given: string | undefined): string => {
  const tried = given === undefined ? FOLDERS.flatMap((folder) => NAMES.map((name) => join(folder, name))) : [given];
  for (const base of tried) {
    const found = ['', ...EXTENSIONS, ...EXTENSIONS.map((extension) => `/index${extension}`)].map((end) => resolve(base + end)).find(isFile);
    if (found !== undefined) return found;
  }
  if (given !== undefined) throw new UserError(`--workflows: expected a file with workflows, got ${given}, which does not exist`, 2);
  throw new UserError(`No workflows found: looked for ${tried.join(', ')} (${EXTENSIONS.join(', ')}) in ${process.cwd()}. Name the file with --workflows.`, 2);
};

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** The options of the bundler, by the names that a worker gives them. */
export const bundlerOptions = (options: CodeOptions): { ignoreModules?: string[]; perRunModules?: string[] } => ({
  ...(options.ignoreModule && { ignoreModules: [...options.ignoreModule] }),
  ...(options.perRunModule && { perRunModules: [...options.perRunModule] }),
});
