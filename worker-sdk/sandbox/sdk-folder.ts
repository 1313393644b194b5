/** Where this package lies: its modules for workflow code, and its own lines in stack traces, are told by it. */
import { dirname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The compiled files, as ES modules also where this file is CommonJS; the sources where they are what runs. */
export const MODULES_FOLDER = resolve(here.replace(/[\\/]cjs[\\/]sandbox$/, `${sep}sandbox`), '..') + sep;

/** The package. Source maps of what is compiled name files beside `dist`. */
export const SDK_FOLDER = MODULES_FOLDER.replace(/[\\/]dist[\\/]$/, sep);
