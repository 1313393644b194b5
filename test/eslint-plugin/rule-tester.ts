// ESLint's own tester, for each version and parser that the rules are to work with.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Linter, type Rule, RuleTester } from 'eslint';
import { RuleTester as RuleTesterV9 } from 'eslint-v9';
import { describe, it } from 'vitest';
import plugin from '../../eslint-plugin/index.js';

const pluginRequire = createRequire(new URL('../../eslint-plugin/package.json', import.meta.url));
const parser = pluginRequire('@typescript-eslint/parser') as Linter.Parser;

interface Cases {
  valid: (string | RuleTester.ValidTestCase)[];
  invalid: RuleTester.InvalidTestCase[];
}

/** Where cases that need types pretend to lie. */
export const TYPED_FILE = fileURLToPath(new URL('./typed/file.ts', import.meta.url));

const typescript = { languageOptions: { parser } } as Linter.Config;
const typed = { languageOptions: { parser, parserOptions: { projectService: true, tsconfigRootDir: fileURLToPath(new URL('./typed/', import.meta.url)) } } } as Linter.Config;
const javascript = {} as Linter.Config;

/** Cases of plain JavaScript run with ESLint's own parser as well. */
export function testRule(name: string, cases: Cases & { javascript?: Cases; typed?: Cases }): void {
  const rule = plugin.rules[name] as Rule.RuleModule;
  for (const [version, Tester] of [['10', RuleTester], ['9', RuleTesterV9 as unknown as typeof RuleTester]] as const) {
    Tester.describe = describe as unknown as typeof RuleTester.describe;
    Tester.it = it as unknown as typeof RuleTester.it;
    const run = (label: string, config: Linter.Config, { valid, invalid }: Cases): unknown =>
      describe(`ESLint ${version}, ${label}`, () => new Tester(config as never).run(name, rule, { valid, invalid }));
    run('TypeScript', typescript, cases);
    if (cases.javascript) run('JavaScript', javascript, cases.javascript);
    if (cases.typed) {
      const inFile = <C extends RuleTester.ValidTestCase>(one: C | string): C => ({ ...(typeof one === 'string' ? { code: one } : one), filename: TYPED_FILE }) as C;
      run('types', typed, { valid: cases.typed.valid.map(inFile), invalid: cases.typed.invalid.map((one) => inFile(one)) });
    }
  }
}

/** Failures by their message ids. */
export const errors = (...messageIds: string[]): { messageId: string }[] => messageIds.map((messageId) => ({ messageId }));
