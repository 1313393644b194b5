// What npm publishes: what is in it, and that it works for whoever imports it, and for whoever requires it.
import { spawnSync } from 'node:child_process';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { publint } from 'publint';
import { afterAll, describe, expect, it } from 'vitest';
import { installPacked, root, WORKSPACES, type Workspace } from './pack.js';

const installed = Object.fromEntries(WORKSPACES.map((workspace) => [workspace, installPacked(workspace)])) as Record<Workspace, ReturnType<typeof installPacked>>;
afterAll(() => {
  for (const { project } of Object.values(installed)) rmSync(project, { recursive: true });
});

describe.each(WORKSPACES)('%s', (workspace) => {
  const { packed } = installed[workspace];

  it('holds what is needed to run it and its licence, and no sources, tests, maps or build notes', () => {
    expect(packed.files).toContain('LICENSE');
    expect(packed.files).toContain('README.md');
    expect(packed.manifest.license).toBe('Apache-2.0');
    const odd = packed.files.filter((name) => !/^(?:LICENSE|README\.md|package\.json)$|^dist\/.+\.(?:js|d\.ts)$|^dist\/cjs\/package\.json$|^dist\/bundle\/(?:files\.json|LICENSE\.zod)$|^(?:migrations|proto|docs|bin)\//.test(name));
    expect(odd).toEqual([]);
    expect(packed.files.filter((name) => /(?:^|\/)(?:test|tests|node_modules)\/|\.test\.|\.map$|tsbuildinfo/.test(name))).toEqual([]);
  });

  it('names only files that are there', () => {
    const named = [...JSON.stringify([packed.manifest.exports, packed.manifest.bin]).matchAll(/"\.\/([^"]+\.[a-z.]+)"/g)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(0);
    for (const file of named.filter((name) => name !== 'package.json')) expect(packed.files).toContain(file);
  });

  it('has nothing that publint objects to', async () => {
    const { messages } = await publint({ pkgDir: packed.folder, strict: true, pack: false });
    expect(messages.map(({ code, path }) => `${code} at ${path.join('.')}`)).toEqual([]);
  });
});

const entries = (workspace: Workspace): string[] =>
  Object.keys(installed[workspace].packed.manifest.exports ?? {}).filter((path) => path !== './package.json').map((path) => `${installed[workspace].packed.name}${path.slice(1)}`);

function node(workspace: Workspace, file: string, code: string, ...flags: string[]): string {
  const { project } = installed[workspace];
  writeFileSync(join(project, file), code);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, file], { cwd: project, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

const NAMES = 'console.log(JSON.stringify(Object.keys(exported).filter((name) => name !== "module.exports" && name !== "__esModule").sort()))';
/** A Node that cannot require ES modules, as before 20.19. */
const OLD = '--no-experimental-require-module';

describe.each<Workspace>(['worker-sdk', 'eslint-plugin'])('both kinds of consumers of %s', (workspace) => {
  it.each(entries(workspace))('%s exports the same to import, to require, and to require of an older Node', (entry) => {
    const imported = node(workspace, 'a.mjs', `import * as exported from '${entry}';\n${NAMES}`);
    expect(JSON.parse(imported)).not.toEqual([]);
    const required = `const exported = require('${entry}');\n${NAMES}`;
    expect(node(workspace, 'b.cjs', required)).toBe(imported);
    expect(node(workspace, 'b.cjs', required, OLD)).toBe(imported);
  });
});

it('has declarations for compilers that do not read "exports"', () => {
  const { typesVersions, exports = {} } = installed['worker-sdk'].packed.manifest;
  expect(Object.keys(typesVersions?.['*'] ?? {}).sort()).toEqual(Object.keys(exports).filter((path) => path !== '.' && path !== './package.json').map((path) => path.slice(2)).sort());
});

it('the engine runs in one piece as it is packed, and from its files once one of them was changed', () => {
  const dist = join(installed.server.packed.folder, 'dist');
  appendFileSync(join(dist, 'bundle', 'main.js'), "process.stdout.write('one piece');\n");
  const serve = (): { said: string; complaint: string } => {
    writeFileSync(join(installed.server.project, 'd.mjs'), "import { serve } from '@perdure/server/main';\nprocess.exit(await serve({ database: { kind: 'url' }, flags: {}, env: {} }));");
    const { status, stdout, stderr } = spawnSync(process.execPath, ['d.mjs'], { cwd: installed.server.project, encoding: 'utf8' });
    expect(status).toBe(2);
    return { said: stdout, complaint: stderr };
  };
  const { said, complaint } = serve();
  expect(said).toBe('one piece');
  expect(complaint).toContain('DATABASE_URL: expected a URL');
  const settings = join(dist, 'settings.js');
  writeFileSync(settings, readFileSync(settings, 'utf8').replace("env: 'DATABASE_URL'", "env: 'DATABASE_URL_CHANGED'"));
  expect(serve()).toEqual({ said: '', complaint: complaint.replace('DATABASE_URL', 'DATABASE_URL_CHANGED') });
});

describe('a CommonJS project', () => {
  const workflows = `const { sleep, proxyActivities, ApplicationFailure } = require('@perdure/sdk/workflow');
const { pay } = proxyActivities({ startToCloseTimeout: '1m' });
exports.order = async function order(id) { await sleep(1000); throw new ApplicationFailure('no ' + id); };`;
  const program = `
const { bundleWorkflowCode, Worker, Runtime, DefaultLogger } = require('@perdure/sdk/worker');
const { ApplicationFailure } = require('@perdure/sdk');
const { MockActivityEnvironment } = require('@perdure/sdk/testing');
const { Context } = require('@perdure/sdk/activity');
Runtime.install({ logger: new DefaultLogger('ERROR') });
(async () => {
  const { code } = await bundleWorkflowCode({ workflowsPath: require.resolve('./workflows.cjs') });
  const history = { events: [
    { eventId: '1', eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED', workflowExecutionStartedEventAttributes: { workflowType: { name: 'order' } } },
    { eventId: '2', eventType: 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED', workflowTaskScheduledEventAttributes: {} },
    { eventId: '3', eventType: 'EVENT_TYPE_WORKFLOW_TASK_STARTED', workflowTaskStartedEventAttributes: {} },
    { eventId: '4', eventType: 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED', workflowTaskCompletedEventAttributes: { startedEventId: '3' } },
    { eventId: '5', eventType: 'EVENT_TYPE_TIMER_STARTED', timerStartedEventAttributes: { timerId: '1' } },
  ] };
  await Worker.runReplayHistory({ workflowBundle: { code } }, history);
  const { attempt } = await new MockActivityEnvironment({ attempt: 3 }).run(() => Context.current().info);
  const { ApplicationFailure: Imported } = await import('@perdure/sdk');
  const context = (await import('@perdure/sdk/activity')).Context;
  const shared = await new MockActivityEnvironment({ attempt: 4 }).run(() => context.current().info.attempt);
  console.log(JSON.stringify({ attempt, shared, sameFailures: new Imported('x') instanceof ApplicationFailure, line: /workflows\\.cjs/.test(code) || code.length > 1000 }));
})();`;

  it.each([['this Node', []], ['an older Node', [OLD]]])('bundles, replays and runs activities in %s', (_which, flags) => {
    writeFileSync(join(installed['worker-sdk'].project, 'workflows.cjs'), workflows);
    expect(JSON.parse(node('worker-sdk', 'c.cjs', program, ...flags))).toEqual({ attempt: 3, shared: 4, sameFailures: true, line: true });
  });
});

describe('types', () => {
  const code = `import { Client, Connection, type WorkflowHandle } from '@perdure/sdk/client';
import { Worker, type WorkerOptions } from '@perdure/sdk/worker';
import { proxyActivities, sleep } from '@perdure/sdk/workflow';
import { Context } from '@perdure/sdk/activity';
import { TestWorkflowEnvironment } from '@perdure/sdk/testing';
import { ApplicationFailure } from '@perdure/sdk';
export async function hello(name: string): Promise<string> { await sleep('1 second'); return proxyActivities<{ greet(name: string): Promise<string> }>({ startToCloseTimeout: '1m' }).greet(name); }
export async function start(options: WorkerOptions): Promise<WorkflowHandle<typeof hello>> {
  await Worker.create(options);
  const client = new Client({ connection: await Connection.connect() });
  // @ts-expect-error: the argument is a text
  await client.workflow.start(hello, { taskQueue: 'q', workflowId: 'w', args: [1] });
  return client.workflow.start(hello, { taskQueue: 'q', workflowId: 'w', args: ['x'] });
}
export const others = [Context, TestWorkflowEnvironment, ApplicationFailure];
`;
  const older = createRequire(join(root, 'eslint-plugin/package.json')).resolve('typescript/bin/tsc');
  const newer = createRequire(join(root, 'package.json')).resolve('typescript/package.json').replace(/package\.json$/, 'bin/tsc');

  it.each<[string, string, string[], string[]]>([
    ['TypeScript 5.9, node16, for ES modules and CommonJS', older, ['x.mts', 'x.cts'], ['--module', 'node16']],
    ['TypeScript 7, nodenext, for ES modules and CommonJS', newer, ['x.mts', 'x.cts'], ['--module', 'nodenext']],
    ['an old tsconfig: CommonJS, node10', older, ['x.ts'], ['--module', 'commonjs', '--moduleResolution', 'node10', '--esModuleInterop', '--skipLibCheck']],
    ['a bundler', newer, ['x.ts'], ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])('are right for %s', { timeout: 180_000 }, (_what, tsc, files, flags) => {
    const { project } = installed['worker-sdk'];
    for (const file of files) writeFileSync(join(project, file), code);
    const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--types', 'node', ...flags, ...files], { cwd: project, encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});
