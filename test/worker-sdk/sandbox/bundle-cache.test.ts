// Bundles on disk: taken only while everything that they were made from is as it was, and never a reason for a worker not to start.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { Worker } from '../../../worker-sdk/worker/index.js';
import { bundleThroughCache, cacheFolder } from '../../../worker-sdk/sandbox/bundle-cache.js';

const folders: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const FILES = {
  'package.json': '{"name":"app","type":"module"}',
  'tsconfig.json': '{"extends":"./base.json"}',
  'base.json': '{"compilerOptions":{"target":"es2022"}}',
  'src/workflows.ts': `import { tax } from './tax.js';\nimport { rate } from 'rates';\nimport { sleep } from '@perdure/sdk/workflow';\nexport async function wf() { await sleep(1); return tax(rate); }\n`,
  'src/tax.ts': 'export const tax = (rate: number) => rate * 2;\n',
  'store/rates-1/package.json': '{"name":"rates","version":"1.0.0","type":"module","main":"index.js"}',
  'store/rates-1/index.js': 'export const rate = 1;\n',
  'store/rates-2/package.json': '{"name":"rates","version":"2.0.0","type":"module","main":"index.js"}',
  'store/rates-2/index.js': 'export const rate = 2;\n',
};

/** A file that was there before anything begins. */
function put(base: string, name: string, text: string): void {
  const path = join(base, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  utimesSync(path, 1_700_000_000, 1_700_000_000);
}

function project(): { base: string; cache: string; bundle: () => ReturnType<typeof bundleThroughCache> } {
  const base = mkdtempSync(join(tmpdir(), 'perdure-cache-'));
  folders.push(base);
  for (const [name, text] of Object.entries(FILES)) put(base, name, text);
  mkdirSync(join(base, 'node_modules'));
  symlinkSync(join(base, 'store/rates-1'), join(base, 'node_modules/rates'));
  const cache = join(base, 'cache');
  return { base, cache, bundle: () => bundleThroughCache({ workflowsPath: join(base, 'src/workflows.ts') }, cache) };
}

test('what did not change comes from the cache, the same to the letter', async () => {
  const { bundle, base } = project();
  const first = await bundle();
  put(base, 'notes.log', 'nothing to do with it');
  const second = await bundle();
  expect([first.fromCache, second.fromCache]).toEqual([false, true]);
  expect(second.code.trimEnd()).toBe(first.code.trimEnd());
});

test.each<[string, (base: string) => void]>([
  ['a file of the workflows', (base) => put(base, 'src/tax.ts', 'export const tax = (rate: number) => rate * 3;\n')],
  ['a library', (base) => put(base, 'store/rates-1/index.js', 'export const rate = 7;\n')],
  ['the manifest of a library', (base) => put(base, 'store/rates-1/package.json', FILES['store/rates-1/package.json'].replace('"version"', '"sideEffects":false,"version"'))],
  ['a base of tsconfig.json', (base) => put(base, 'base.json', '{"compilerOptions":{"target":"es2021"}}')],
  ['which file is found first', (base) => put(base, 'src/tax.js', 'export const tax = () => 0;\n')],
  ['which version of a library is installed', (base) => {
    unlinkSync(join(base, 'node_modules/rates'));
    symlinkSync(join(base, 'store/rates-2'), join(base, 'node_modules/rates'));
  }],
  ['where a library is found first', (base) => put(base, 'src/node_modules/rates/index.js', 'export const rate = 9;\n')],
])('it is made anew when this changed: %s', async (_what, change) => {
  const { bundle, base } = project();
  await bundle();
  change(base);
  expect((await bundle()).fromCache).toBe(false);
  expect((await bundle()).fromCache).toBe(true);
});

test('other options are another bundle', async () => {
  const { base, cache, bundle } = project();
  await bundle();
  const workflowsPath = join(base, 'src/workflows.ts');
  expect((await bundleThroughCache({ workflowsPath, perRunModules: ['rates'] }, cache)).fromCache).toBe(false);
  expect((await bundle()).fromCache).toBe(true);
});

test('an entry that is broken in any way is made anew', async () => {
  const { cache, bundle } = project();
  const { code } = await bundle();
  const entry = join(cache, readdirSync(cache)[0]!);
  const whole = readFileSync(entry, 'utf8');
  const tampered = whole.replace(/(rate\d*) \* 2/, '$1 * 9');
  expect(tampered).not.toBe(whole);
  for (const broken of [whole.slice(0, whole.length / 2), whole.slice(0, 20), '', '{}\nx', tampered]) {
    writeFileSync(entry, broken);
    const again = await bundle();
    expect(again.fromCache).toBe(false);
    expect(again.code).toBe(code);
    expect((await bundle()).fromCache).toBe(true);
  }
});

test('a file that changes while it is bundled is not remembered', async () => {
  const { base, cache, bundle } = project();
  utimesSync(join(base, 'src/tax.ts'), Date.now() / 1000 + 60, Date.now() / 1000 + 60);
  expect((await bundle()).fromCache).toBe(false);
  expect(readdirSync(base)).not.toContain('cache');
  expect(cache).toBeDefined();
});

test('many workers at once, none of which sees what another has half written', async () => {
  const { cache, bundle } = project();
  const all = await Promise.all(Array.from({ length: 8 }, bundle));
  expect(new Set(all.map(({ code }) => code.trimEnd())).size).toBe(1);
  expect(readdirSync(cache)).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.bundle$/)]);
  expect((await bundle()).fromCache).toBe(true);
});

test('a folder that cannot be written keeps nobody from starting', async () => {
  const { base, bundle } = project();
  put(base, 'cache', 'a file, where the folder should be');
  expect((await bundle()).fromCache).toBe(false);
  expect((await bundle()).fromCache).toBe(false);
});

test('the oldest entries go', async () => {
  const { base, cache, bundle } = project();
  for (let i = 0; i < 60; i++) put(base, `cache/${i}.bundle`, '');
  put(base, 'cache/x.bundle.1.abc.unfinished', '');
  await bundle();
  expect(readdirSync(cache)).toHaveLength(50);
  expect(readdirSync(cache).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
});

test('where it lies, and how it is turned off', async () => {
  const { base } = project();
  const workflows = join(base, 'src/workflows.ts');
  expect(cacheFolder(workflows, true, {})).toBe(join(base, 'node_modules/.cache/perdure'));
  expect(cacheFolder(workflows, true, { PERDURE_BUNDLE_CACHE: join(base, 'there') })).toBe(join(base, 'there'));
  expect(cacheFolder(workflows, true, { PERDURE_BUNDLE_CACHE: 'off' })).toBeUndefined();
  expect(cacheFolder(workflows, join(base, 'here'), { PERDURE_BUNDLE_CACHE: 'off' })).toBe(join(base, 'here'));
  expect(cacheFolder(workflows, false, {})).toBeUndefined();
});

test('a replay from the cache shows the lines of the sources', async () => {
  const { base, cache } = project();
  const event = { eventId: '1', eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED', workflowExecutionStartedEventAttributes: { workflowType: { name: 'wf' } } };
  const history = { events: [event, { eventId: '2', eventType: 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED', workflowTaskScheduledEventAttributes: {} }, { eventId: '3', eventType: 'EVENT_TYPE_WORKFLOW_TASK_STARTED', workflowTaskStartedEventAttributes: {} }] };
  put(base, 'src/workflows.ts', `// the first line\nexport async function wf(): Promise<void> {\n  throw new TypeError('a bug');\n}\n`);
  for (const _time of [1, 2]) {
    const replay = Worker.runReplayHistory({ workflowsPath: join(base, 'src/workflows.ts'), bundlerOptions: { cache } }, history);
    await expect(replay).rejects.toMatchObject({ stack: expect.stringMatching(/workflows\.ts:3:\d+/) as string });
  }
  expect(readdirSync(cache)).toHaveLength(1);
});
