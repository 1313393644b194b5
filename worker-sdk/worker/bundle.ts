/** Bundling workflow code ahead of time, so that workers start without it and without the workflows' sources. */
import { fileURLToPath } from 'node:url';
import type { BundleOptions as HostBundleOptions } from '../replay/workflow-host.js';
import { bundleWorkflows } from '../sandbox/bundler.js';
import { bundleToText } from '../sandbox/load-bundle.js';
import type { Logger } from '../definitions/logger.js';
import { Runtime } from './runtime.js';

/** Options of {@link bundleWorkflowCode}. */
export interface BundleOptions extends HostBundleOptions {
  /** Default: the runtime's. */
  logger?: Logger;
  /** Change these options. */
  plugins?: BundlerPlugin[];
}

/** Hooks that configure the bundler. */
export interface BundlerPlugin {
  /** For people. */
  get name(): string;
  /** Changes the options of the bundler. */
  configureBundler?(options: BundleOptions): BundleOptions;
}

/** A bundle for {@link WorkerOptions.workflowBundle}. */
export interface WorkflowBundle {
  /** One script, its source map within. Write it to a file and name that as `codePath`, or hand it over as `code`. */
  code: string;
}

/** {@link WorkflowBundle}, and its source map for tools. */
export interface WorkflowBundleWithSourceMap extends WorkflowBundle {
  /** JSON. */
  sourceMap: string;
}

/** A bundle in a file. */
export interface WorkflowBundlePath {
  /** Path of a file with the {@link WorkflowBundle.code}. */
  codePath: string;
}

/**
 * Bundles workflows with everything that they import.
 * @throws WorkflowBundleError when they import what a workflow must not, saying what and from where.
 *
 * @example
 * const { code } = await bundleWorkflowCode({ workflowsPath: new URL('./workflows.js', import.meta.url).href });
 * await writeFile('workflow-bundle.js', code);
 */
export async function bundleWorkflowCode(options: BundleOptions): Promise<WorkflowBundleWithSourceMap> {
  for (const plugin of options.plugins ?? []) options = plugin.configureBundler?.(options) ?? options;
  const { logger = Runtime.instance().logger, plugins: _applied, workflowsPath, ...rest } = options;
  const bundle = await bundleWorkflows({
    ...rest,
    workflowsPath: workflowsPath.startsWith('file:') ? fileURLToPath(workflowsPath) : workflowsPath,
  });
  const code = bundleToText(bundle);
  logger.info('Workflow bundle created', { sizeBytes: code.length, durationMs: Math.round(bundle.durationMs) });
  return { code, sourceMap: JSON.stringify(bundle.sourceMap) };
}
