// What workflow code may import, what it must not, how modules of all sorts come together, and where stack traces point.
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createWorkflowHost } from '../../../worker-sdk/replay/create-workflow-host.js';
import type { BundleOptions, WorkflowHost, WorkflowHostOptions } from '../../../worker-sdk/replay/workflow-host.js';
import { bundleWorkflows } from '../../../worker-sdk/sandbox/bundler.js';
import { bundleToText } from '../../../worker-sdk/sandbox/load-bundle.js';
import { HistoryDriver } from '../replay/history-driver.js';
import { silentLogger } from '../replay/silent-logger.js';

const folder = mkdtempSync(fileURLToPath(new URL('./.bundle-', import.meta.url)));
const hosts: WorkflowHost[] = [];
let projects = 0;

function project(files: Record<string, string>): string {
  const base = join(folder, `p${++projects}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), text);
  }
  return base;
}

async function hostOf(options: Partial<WorkflowHostOptions>): Promise<WorkflowHost> {
  const host = await createWorkflowHost({
    namespace: 'default',
    taskQueue: 'tq',
    identity: 'test',
    logger: silentLogger,
    runLocalActivity: () => Promise.reject(new Error('none')),
    ...options,
  });
  hosts.push(host);
  return host;
}

async function run(host: WorkflowHost, type: string, ...args: unknown[]): Promise<unknown> {
  const driver = new HistoryDriver(host, type, args);
  await driver.task();
  return driver.result;
}

async function runCode(files: Record<string, string>, options: Partial<BundleOptions> = {}): Promise<unknown> {
  const base = project(files);
  return run(await hostOf({ workflowsPath: join(base, 'workflows.ts'), ...options }), 'wf');
}

async function bundleError(files: Record<string, string>, entry = 'workflows.ts'): Promise<string> {
  const workflowsPath = join(project(files), entry);
  const error = await bundleWorkflows({ workflowsPath }).then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  expect(error?.name).toBe('WorkflowBundleError');
  return error!.message;
}

afterAll(() => {
  for (const host of hosts) host.dispose();
  rmSync(folder, { recursive: true });
});

test('modules of Node in workflow code are refused, with all places and with what to do', async () => {
  const message = await bundleError({
    'workflows.ts': `import { readFileSync } from 'node:fs'; import { helper } from './helper.ts'; export async function wf() { return [readFileSync('x'), helper()]; }`,
    'helper.ts': `import http from 'http'; export const helper = () => http.get('x');`,
  });
  expect(message).toMatch(/'fs' imported by .*workflows\.ts|'node:fs' imported by .*workflows\.ts/);
  expect(message).toMatch(/'http' imported by .*helper\.ts/);
  expect(message).toContain('Use them in activities');
  expect(message).toContain('ignoreModules');
});

test("the SDK's own modules for the other side are refused too", async () => {
  const message = await bundleError({
    'workflows.ts': `import { greet } from './activities.ts'; export async function wf() { return greet(); }`,
    'activities.ts': `import { activityInfo } from '@perdure/sdk/activity'; export const greet = () => activityInfo().activityId;`,
  });
  expect(message).toMatch(/'@perdure\/sdk\/activity' imported by .*activities\.ts/);
});

test('what cannot be found, and what cannot be parsed, is said with file and line', async () => {
  expect(await bundleError({ 'workflows.ts': `\nimport './nowhere.ts';\nexport async function wf() {}` })).toMatch(/workflows\.ts:2:.*nowhere/);
  expect(await bundleError({ 'workflows.ts': `export async function wf() {\n  retrun 1;\n}` })).toMatch(/workflows\.ts:2:/);
  expect(await bundleError({ 'workflows.ts': `export async function wf() {}\nawait null;` })).toMatch(/workflows\.ts:2:.*[Tt]op-level await/);
  expect(await bundleError({}, 'absent.ts')).toContain('absent.ts');
});

test('types of forbidden modules may be imported', async () => {
  const result = await runCode({
    'workflows.ts': `
      import type { Stats } from 'node:fs';
      import type * as activities from './activities.ts';
      import { proxyActivities } from '@perdure/sdk/workflow';
      const acts = proxyActivities<typeof activities>({ startToCloseTimeout: '1m' });
      export async function wf(stats?: Stats) { return typeof acts.greet; }`,
    'activities.ts': `import { readFileSync } from 'node:fs'; export const greet = async () => String(readFileSync('x'));`,
  });
  expect(result).toBe('function');
});

test('an ignored module loads, and fails when it is used', async () => {
  const files = {
    'workflows.ts': `
      import { createHash } from 'node:crypto';
      export async function wf() { try { return createHash('md5'); } catch (e) { return (e as Error).message; } }`,
  };
  expect(await runCode(files, { ignoreModules: ['node:crypto'] })).toMatch(/'createHash' of the module '(node:)?crypto' cannot be used in workflow code/);
});

test('an ignored name covers what lies below it, with and without the scheme of Node', async () => {
  const files = {
    'workflows.ts': `
      import { readFile } from 'node:fs/promises';
      import { existsSync } from 'fs';
      import { request } from 'not-installed/lib/request';
      const message = (use: () => unknown) => { try { use(); return 'used'; } catch (e) { return (e as Error).message; } };
      export async function wf() { return [message(() => readFile('x')), message(() => existsSync('x')), message(() => request('x'))]; }`,
  };
  const messages = (await runCode(files, { ignoreModules: ['fs', 'not-installed'] })) as string[];
  expect(messages).toHaveLength(3);
  for (const text of messages) expect(text).toMatch(/cannot be used in workflow code.*Use it in an activity/);
  const refused = await bundleError({ 'workflows.ts': `import fs from 'fs'; import x from 'fs-extra'; export async function wf() { return [fs, x]; }` });
  expect(refused).toMatch(/fs-extra/);
});

test('whatever way Node modules and native addons come in, the message names the fix', async () => {
  const ways = [
    `import { connect } from 'net'; export async function wf() { return connect(1); }`,
    `export { readFileSync as wf } from 'fs';`,
    `export async function wf() { const { readFileSync } = await import('node:fs'); return readFileSync('x'); }`,
    `export async function wf() { return require('child_process').execSync('ls'); }`,
    `import process from 'node:process'; export async function wf() { return process.cwd(); }`,
    `import addon from './addon.node'; export async function wf() { return addon; }`,
  ];
  for (const code of ways) {
    const message = await bundleError({ 'workflows.ts': code, 'addon.node': 'ELF' });
    expect(message, code).toMatch(/imported by .*workflows\.ts[\s\S]*Use them in activities/);
  }
});

test('a library that brings a native addon loads, and fails when that is used', async () => {
  const result = await runCode({
    'node_modules/quick/package.json': '{"name":"quick","main":"index.js"}',
    'node_modules/quick/index.js': `const native = require('./build/quick.node'); exports.slow = () => 1; exports.quick = () => native.run();`,
    'node_modules/quick/build/quick.node': 'ELF',
    'workflows.ts': `import { slow, quick } from 'quick'; export async function wf() { try { return [slow(), quick()]; } catch (e) { return (e as Error).message; } }`,
  });
  expect(result).toMatch(/'run' of the module '.*quick\.node' cannot be used in workflow code.*Use it in an activity/);
});

test('stand-ins for the harmless parts of Node', async () => {
  const result = await runCode({
    'workflows.ts': `
      import assert, { strictEqual } from 'node:assert';
      import { AsyncLocalStorage } from 'node:async_hooks';
      import * as util from 'util';
      import { URL as NodeUrl } from 'url';
      import { sleep } from '@perdure/sdk/workflow';
      const als = new AsyncLocalStorage<string>();
      export async function wf() {
        const failed = (() => { try { strictEqual(1, 2, 'no'); } catch (e) { return (e as Error).name; } })();
        assert.deepStrictEqual({ a: [1, new Map([[1, 2]])] }, { a: [1, new Map([[1, 2]])] });
        const stored = await als.run('kept', async () => { await null; return als.getStore(); });
        return [failed, stored, util.format('%s has %d', 'x', 3), new NodeUrl('http://a/b').pathname, util.isDeepStrictEqual([1], [1])];
      }`,
  });
  expect(result).toEqual(['AssertionError', 'kept', 'x has 3', '/b', true]);
});

test('ES modules, CommonJS, JSON, TypeScript and cycles together', async () => {
  const result = await runCode({
    'package.json': '{ "type": "module" }',
    'workflows.ts': `
      import camel from 'lodash.camelcase';
      import cjs, { named } from './old.cjs';
      import * as whole from './old.cjs';
      import data from './data.json';
      import { even } from './even.ts';
      import { Color, type Shape } from './types.ts';
      export { reexported as again } from './old.mjs';
      export * from './more.ts';
      export default async function anything() { return 'default'; }
      export async function wf() {
        const shape: Shape = { color: Color.Red };
        return [camel('a b'), typeof cjs, named, whole.named, data.list.length, even(10), shape.color];
      }`,
    'old.cjs': `exports.named = 'n'; exports.fromRequire = require('./data.json').list;`,
    'old.mjs': `export async function reexported() { return 'again'; }`,
    'more.ts': `export async function more() { return 'more'; }`,
    'data.json': '{ "list": [1, 2] }',
    'even.ts': `import { odd } from './odd.ts'; export const even = (n: number): boolean => n === 0 || odd(n - 1);`,
    'odd.ts': `import { even } from './even.ts'; export const odd = (n: number): boolean => n !== 0 && even(n - 1);`,
    'types.ts': `export enum Color { Red = 'red' } export interface Shape { color: Color }`,
  });
  expect(result).toEqual(['aB', 'object', 'n', 'n', 2, true, 'red']);
});

test('every export is a workflow, also by another name; the default one takes the rest', async () => {
  const base = project({
    'workflows.ts': `
      async function inner() { return 'inner'; }
      export { inner as outer, inner as 'with-dash' };
      export const arrow = async () => 'arrow';
      export default async (...args: unknown[]) => ['default', ...args];`,
  });
  const host = await hostOf({ workflowsPath: join(base, 'workflows.ts') });
  expect([...host.workflowTypes].sort()).toEqual(['arrow', 'default', 'outer', 'with-dash']);
  expect(await run(host, 'outer')).toBe('inner');
  expect(await run(host, 'with-dash')).toBe('inner');
  expect(await run(host, 'arrow')).toBe('arrow');
  expect(await run(host, 'whatever', 1)).toEqual(['default', 1]);
});

test('classes of the SDK are the same by all ways', async () => {
  const result = await runCode({
    'workflows.ts': `
      import { ApplicationFailure } from '@perdure/sdk';
      import { ApplicationFailure as Other, workflowInfo } from '@perdure/sdk/workflow';
      export async function wf() { return [ApplicationFailure === Other, new Other('x') instanceof ApplicationFailure, workflowInfo().workflowType]; }`,
  });
  expect(result).toEqual([true, true, 'wf']);
});

test('state of a library is shared by runs, unless the library is named', async () => {
  const files = {
    'workflows.ts': `import { next } from 'counting'; export async function wf() { return next(); }`,
    'node_modules/counting/package.json': '{ "name": "counting", "main": "index.js" }',
    'node_modules/counting/index.js': 'let n = 0; exports.next = () => ++n;',
  };
  const workflowsPath = join(project(files), 'workflows.ts');
  const shared = await hostOf({ workflowsPath });
  expect([await run(shared, 'wf'), await run(shared, 'wf')]).toEqual([1, 2]);
  const apart = await hostOf({ workflowsPath, perRunModules: ['counting'] });
  expect([await run(apart, 'wf'), await run(apart, 'wf')]).toEqual([1, 1]);
});

test('a bundle made ahead of time works as text and as a file', async () => {
  const base = project({ 'workflows.ts': `export async function wf() { throw new Error('made ahead'); }` });
  const bundle = await bundleWorkflows({ workflowsPath: join(base, 'workflows.ts') });
  const code = bundleToText(bundle);
  const codePath = join(base, 'bundle.js');
  writeFileSync(codePath, code);
  for (const workflowBundle of [{ code }, { codePath }]) {
    const host = await hostOf({ workflowBundle });
    const driver = new HistoryDriver(host, 'wf');
    const outcome = await driver.rawTask();
    expect(JSON.stringify(outcome)).toMatch(/made ahead[^"]*workflows\.ts:1:\d+/);
  }
});

test('a bundle of something else is refused', async () => {
  await expect(hostOf({ workflowBundle: { code: 'var a = 1;' } })).rejects.toThrow(/bundle/);
  await expect(hostOf({ workflowBundle: { code: 'var a = ;' } })).rejects.toThrow();
});

test('stack traces show the lines that the user wrote', async () => {
  const base = project({
    'workflows.ts': `import { ApplicationFailure } from '@perdure/sdk/workflow';
import { thrower } from './deep/thrower.ts';

interface Unneeded { that: string; takes: string; lines: number }

export async function wf(kind: string): Promise<void> {
  if (kind === 'sync') throw ApplicationFailure.create({ message: 'sync' });
  await null;
  thrower(kind);
}`,
    'deep/thrower.ts': `type Also = { unneeded: true };

export function thrower(kind: string): never {
  throw new TypeError('deep ' + kind);
}`,
  });
  const host = await hostOf({ workflowsPath: join(base, 'workflows.ts') });
  const first = JSON.stringify(await new HistoryDriver(host, 'wf', ['sync']).rawTask());
  expect(first).toMatch(/at .*wf \([^)]*workflows\.ts:7:\d+\)/);
  const second = JSON.stringify(await new HistoryDriver(host, 'wf', ['later']).rawTask());
  expect(second).toMatch(/at .*thrower \([^)]*deep\/thrower\.ts:4:\d+\)/);
  expect(second).toMatch(/at .*wf \([^)]*workflows\.ts:9:\d+\)/);
  expect(second).not.toMatch(/(?<!test\/)worker-sdk\//);
});
