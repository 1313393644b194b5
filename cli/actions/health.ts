/** Asks an engine's /readyz. */
import { UserError } from '../errors.js';
import { print } from '../output/print.js';

const ANSWER_MS = 2_500;

export const health = async (address: string): Promise<void> => {
  const response = await fetch(`http://${address}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) }).catch((error: Error) => {
    throw new UserError(`No engine answers at http://${address}: ${error.cause instanceof Error ? error.cause.message : error.message}`);
  });
  const state = (await response.json()) as { ready?: boolean; reason?: string };
  if (state.ready !== true) throw new UserError(`Not ready: ${state.reason ?? `status ${response.status}`}`);
  print('ready');
};
