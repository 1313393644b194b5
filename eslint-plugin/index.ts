/**
 * `@perdure/eslint-plugin`: finds in workflow files what would not be the same when a workflow is replayed.
 *
 * @example
 * ```js
 * // eslint.config.js
 * import perdure from '@perdure/eslint-plugin';
 *
 * export default [{ ...perdure.configs.recommended, files: ['src/workflows/**'] }];
 * ```
 * @module
 */
import type { ESLint, Linter, Rule } from 'eslint';
import { noActivityImports } from './rules/no-activity-imports.js';
import { noFloatingPromises } from './rules/no-floating-promises.js';
import { noLocalTime } from './rules/no-local-time.js';
import { noModuleState } from './rules/no-module-state.js';
import { noNodeImports } from './rules/no-node-imports.js';
import { noNondeterministicGlobals } from './rules/no-nondeterministic-globals.js';
import { noUnsafePackages } from './rules/no-unsafe-packages.js';

/** Rules by their names, without the plugin's. */
const rules: Record<string, Rule.RuleModule> = {
  'no-activity-imports': noActivityImports,
  'no-floating-promises': noFloatingPromises,
  'no-local-time': noLocalTime,
  'no-module-state': noModuleState,
  'no-node-imports': noNodeImports,
  'no-nondeterministic-globals': noNondeterministicGlobals,
  'no-unsafe-packages': noUnsafePackages,
};

/** Files that hold workflows by the names that most projects give them. */
const WORKFLOW_FILES = ['**/workflows.{ts,mts,cts,js,mjs,cjs}', '**/workflows/**/*.{ts,mts,cts,js,mjs,cjs}', '**/*{.,-}workflow{,s}.{ts,mts,cts,js,mjs,cjs}'];

/** The plugin, as an ESLint configuration names it. */
interface PerdurePlugin extends ESLint.Plugin {
  rules: Record<string, Rule.RuleModule>;
  configs: {
    /** All rules, for files with the usual names; give it `files` of your own if yours have others. */
    recommended: Linter.Config;
  };
}

/** The plugin: its rules, and the `recommended` configuration. */
const plugin: PerdurePlugin = {
  meta: { name: '@perdure/eslint-plugin', version: '0.1.0' },
  rules,
  configs: { recommended: {} },
};

plugin.configs.recommended = {
  name: '@perdure/recommended',
  files: WORKFLOW_FILES,
  plugins: { '@perdure': plugin },
  rules: {
    '@perdure/no-activity-imports': 'error',
    '@perdure/no-floating-promises': 'error',
    '@perdure/no-local-time': 'warn',
    '@perdure/no-module-state': 'warn',
    '@perdure/no-node-imports': 'error',
    '@perdure/no-nondeterministic-globals': 'error',
    '@perdure/no-unsafe-packages': 'error',
  },
};

export default plugin;
