/** Where the files lie that the code needs beside itself (migrations, proto): in a checkout, in an installed package and in an image alike. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Finds a folder that ships with the server by walking up from this file: `server/`, `server/dist/` or the installed package.
 * @throws when the installation lacks it
 */
export const packageFolder = (name: 'migrations' | 'proto'): string => {
  const tried: string[] = [];
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let level = 0; level < 4; level++) {
    const candidate = join(folder, name);
    if (existsSync(candidate)) return candidate;
    tried.push(candidate);
    folder = dirname(folder);
  }
  throw new Error(`The installation is incomplete: expected the folder "${name}" at one of ${tried.join(', ')}.`);
};
