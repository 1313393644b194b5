/** Finds what ships beside the code (package.json, proto): in a checkout and in an installed package alike. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Walks up from a file to the nearest folder that holds `name`.
 * @throws when the installation lacks it
 */
export const findInPackage = (name: string, from: string): string => {
  let folder = dirname(from);
  for (let level = 0; level < 4; level++) {
    const candidate = join(folder, name);
    if (existsSync(candidate)) return candidate;
    folder = dirname(folder);
  }
  throw new Error(`The installation is incomplete: "${name}" is missing near ${from}.`);
};
