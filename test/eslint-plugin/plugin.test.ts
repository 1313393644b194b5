// The plugin as a project configures it: flat config, our own examples, a page of documentation for each rule.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { ESLint, type Linter } from 'eslint';
import { ESLint as ESLintV9 } from 'eslint-v9';
import { describe, expect, it } from 'vitest';
import plugin from '../../eslint-plugin/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const docs = new URL('../../eslint-plugin/docs/', import.meta.url);
const parser = createRequire(new URL('../../eslint-plugin/package.json', import.meta.url))('@typescript-eslint/parser') as Linter.Parser;
const { recommended } = plugin.configs;

describe.each([['10', ESLint], ['9', ESLintV9 as unknown as typeof ESLint]])('ESLint %s', (_version, Linter) => {
  const lint = (code: string, filePath: string, config: Linter.Config = recommended) =>
    new Linter({ cwd: root, overrideConfigFile: true, overrideConfig: [config, { files: ['**/*.ts'], languageOptions: { parser } }] as Linter.Config[] }).lintText(code, { filePath });

  it('looks at workflow files alone', async () => {
    const code = `import fs from 'node:fs';\nexport const x = fs;`;
    const rules = async (name: string) => (await lint(code, `${root}app/${name}`))[0]?.messages.map(({ ruleId }) => ruleId);
    for (const name of ['workflows.ts', 'src/workflows/pay.ts', 'pay.workflow.js', 'src/pay-workflows.mts']) expect(await rules(name), name).toEqual(['@perdure/no-node-imports']);
    for (const name of ['activities.ts', 'worker.js']) expect(await rules(name) ?? [], name).toEqual([]);
  });

  it('takes files of other names', async () => {
    const [result] = await lint('fetch("x");', `${root}app/flows/a.js`, { ...recommended, files: ['app/flows/**'] });
    expect(result?.messages.map(({ ruleId, severity }) => [ruleId, severity])).toEqual([['@perdure/no-nondeterministic-globals', 2]]);
  });

  it('has nothing against the workflows of the examples', async () => {
    for (const name of ['examples/hello/workflows.mjs', 'examples/refund-agent/workflows.ts', 'test/e2e/sdk/workflows.ts']) {
      const [result] = await lint(readFileSync(`${root}${name}`, 'utf8'), `${root}${name}`);
      expect(result?.messages.filter(({ severity }) => severity === 2), name).toEqual([]);
    }
  });
});

describe('documentation', () => {
  const names = Object.keys(plugin.rules).sort();

  it('has a page for each rule, and no other', () => {
    expect(readdirSync(docs).sort()).toEqual(names.map((name) => `${name}.md`));
    for (const name of names) {
      const page = readFileSync(new URL(`${name}.md`, docs), 'utf8');
      expect(page, name).toMatch(new RegExp(`^# @perdure/${name}\n`));
      expect(page, name).toContain('```ts');
    }
  });

  it('lists each rule in the README, as the recommended configuration has it', () => {
    const readme = readFileSync(new URL('../README.md', docs), 'utf8');
    for (const name of names) expect(readme).toContain(`| [${name}](docs/${name}.md) | ${String(recommended.rules?.[`@perdure/${name}`])} |`);
  });
});
