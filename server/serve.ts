/** Where a program that runs the engine comes in: the code in one piece where there is one (bundle.ts), else the files as compiled. */
import './storage/runtime-name.js';
import { inOnePiece } from './bundle.js';
import type { ServeOptions } from './main.js';

export type { ReadyMessage, ServeOptions } from './main.js';

/** See `serve` in main.ts. */
export const serve = async (options: ServeOptions): Promise<number> => {
  const main = (await import(inOnePiece('main.js').href)) as typeof import('./main.js');
  return main.serve(options);
};
