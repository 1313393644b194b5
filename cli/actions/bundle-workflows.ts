/** Bundles workflow code ahead of time. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { BundleOptions } from '../commands/code.js';
import { UserError } from '../errors.js';
import { print, printJson } from '../output/print.js';
import { loadSdk } from '../code/load-sdk.js';
import { bundlerOptions, workflowsFile } from '../code/workflow-code.js';

export const bundleWorkflows = async (options: BundleOptions): Promise<void> => {
  const workflows = workflowsFile(options.workflows);
  const { bundleWorkflowCode, DefaultLogger } = await loadSdk([dirname(workflows), process.cwd()]);
  const startedMs = performance.now();
  const { code, sourceMap } = await bundleWorkflowCode({
    workflowsPath: workflows,
    logger: new DefaultLogger('WARN'),
    workflowInterceptorModules: options.interceptors?.map((path) => resolve(path)),
    payloadConverterPath: options.payloadConverter && resolve(options.payloadConverter),
    failureConverterPath: options.failureConverter && resolve(options.failureConverter),
    ...bundlerOptions(options),
  }).catch((error: Error) => {
    throw new UserError(error.message, 2);
  });
  const out = resolve(options.out);
  await writeWhole(out, code);
  const done = { out, workflows, bytes: Buffer.byteLength(code), sourceMapBytes: Buffer.byteLength(sourceMap), durationMs: Math.round(performance.now() - startedMs) };
  if (options.output === 'json') printJson(done);
  else print(`Bundled ${relative('', workflows)} into ${relative('', out)}: ${kilobytes(done.bytes)}, with its source map, in ${done.durationMs} ms.`);
};

/** A worker that starts meanwhile reads the old file or the new one. */
const writeWhole = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw new UserError(`--out: ${(error as Error).message}`, 2);
  }
};

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1000)} kB`;
