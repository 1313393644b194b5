/** The pages for people: what they link to is there, and what a program can compare is complete. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const tracked = (...patterns: string[]): string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');

const pages = tracked('*.md');
const prose = (page: string): string => read(page).replace(/```.*?```/gs, '');

/** As GitHub makes them of headings. */
const anchorsOf = (page: string): string[] =>
  [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'),
  );

it('links lead somewhere', () => {
  const dead: string[] = [];
  for (const page of pages) {
    for (const [, link] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?|mailto):/.test(link!)) continue;
      const [path = '', anchor] = link!.split('#');
      const target = path === '' ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(ROOT, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor))) dead.push(`${page}: ${link}`);
    }
  }
  expect(dead).toEqual([]);
});

it('every metric of the engine is in docs/operations.md', () => {
  const page = read('docs/operations.md');
  const metrics = new Set([...read('server/engine/metrics.ts').matchAll(/'((?:perdure|process)_\w+)'/g)].map(([, name]) => name!));
  expect(metrics.size).toBeGreaterThan(20);
  expect([...metrics].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it('every metric of workers is in docs/observability.md', () => {
  const page = read('docs/observability.md');
  const metrics = [...read('worker-sdk/worker/metric-descriptions.ts').matchAll(/^ {2}(\w+): '/gm)].map(([, name]) => name!);
  expect(metrics.length).toBeGreaterThan(30);
  expect(metrics.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it('every variable that a program reads is in docs/configuration.md', () => {
  const page = read('docs/configuration.md');
  const sources = tracked('server/*.ts', 'worker-sdk/*.ts', 'cli/*.ts', 'cli/*.js', 'scripts/start.mjs', 'docker-compose.yml');
  const names = new Set(sources.flatMap((file) => [...read(file).matchAll(/(?:env\.|env\['|env: '|env\(')(PERDURE_\w+|DATABASE_URL)/g)].map(([, name]) => name!)));
  expect(names.size).toBeGreaterThan(20);
  // for tests of the engine's own
  names.delete('PERDURE_CRASH_AT');
  expect([...names].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
