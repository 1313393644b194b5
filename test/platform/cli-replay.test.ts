// `perdure replay` and `perdure bundle`, as a user runs them: the compiled CLI, with the SDK of the project it is called in.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { HistoryMismatch, Sdk } from '../../cli/code/load-sdk.js';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { type HistoryMismatch as SdkMismatch, Worker } from '../../worker-sdk/worker/index.js';
import { type Finished, type Perdure, perdure, run } from '../helpers/perdure-process.js';
import { until } from '../helpers/until.js';

const histories = fileURLToPath(new URL('../histories/sdk/', import.meta.url));
const workflows = join(histories, 'workflows2.js');
const folder = mkdtempSync(join(tmpdir(), 'perdure-replay-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const history = (name: string): string => join(histories, `${name}.json`);
const events = (name: string): Record<string, unknown>[] => (JSON.parse(readFileSync(history(name), 'utf8')) as { events: [] }).events;
const replay = (...args: string[]): Promise<Finished> => run(['replay', ...args]);

interface Report {
  matching: number;
  diverging: number;
  failing: number;
  unreadable: number;
  histories: { outcome: string; workflowId: string; workflowType: string; divergence?: { eventId: number; eventType: string; code: string; location: { file: string; line: number; functionName: string } } }[];
}

it('knows the SDK as it is', async () => {
  // The compiler says so; at run time the names are there.
  const sdk: Sdk = await import('../../worker-sdk/worker/index.js');
  const mismatch: HistoryMismatch = {} as SdkMismatch;
  expect([typeof sdk.Worker.runReplayHistories, typeof sdk.bundleWorkflowCode, typeof sdk.Runtime.install, typeof sdk.DefaultLogger, typeof mismatch]).toEqual(['function', 'function', 'function', 'function', 'object']);
});

describe('perdure replay', () => {
  it('says of a history that matches that it does', async () => {
    const { code, stdout, stderr } = await replay('--history', history('one-activity'), '--workflows', workflows);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ok {3}sdk-one-activity \(oneActivity, 11 events\)\n\n1 of 1 history matches/);
    expect(code).toBe(0);
  });

  it('shows the command, the event and the line of code where they part ways', async () => {
    const { code, stdout } = await replay('--history', history('non-determinism'), '--workflows', workflows);
    expect(stdout).toMatch(/FAIL sdk-non-determinism/);
    expect(stdout).toMatch(/event 5 +history holds TimerStarted \(timer 1\)\n +the code scheduled activity 'hello' \(id 1\)\n +at \S*workflows2\.js:50:\d+, in changing/);
    expect(stdout).toMatch(/> 50 \| export async function changing.*\n +\| +\^/);
    expect(stdout).toContain('patched()');
    expect(code).toBe(1);
  });

  it('takes files, folders, lists and answers of the API, and reports them as JSON', async () => {
    const several = file('several.json', JSON.stringify([{ events: events('one-activity') }, { history: { events: events('sleep') } }]));
    const bare = file('bare.json', JSON.stringify(events('patched')));
    const { code, stdout } = await replay('--history', several, '--history', bare, '--history', history('non-determinism'), '--history', history('unknown-type'), '--workflows', workflows, '-o', 'json');
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ matching: 3, diverging: 1, failing: 1, unreadable: 0 });
    expect(report.histories.map(({ workflowType, outcome }) => [workflowType, outcome])).toEqual([
      ['oneActivity', 'matches'], ['sleeper', 'matches'], ['patched', 'matches'], ['changing', 'diverges'], ['notThere', 'fails'],
    ]);
    expect(report.histories[3]?.divergence).toMatchObject({ eventId: 5, eventType: 'TimerStarted', code: "scheduled activity 'hello' (id 1)", location: { file: workflows, line: 50, functionName: 'changing' } });
    expect(code).toBe(1);
    const whole = JSON.parse((await replay('--history', histories, '--workflows', workflows, '-o', 'json')).stdout) as Report;
    expect(whole.matching).toBeGreaterThan(45);
  });

  it('reads the enums of older tools', async () => {
    const old = events('one-activity').map((event) => ({
      ...event,
      eventType: String(event['eventType']).replace('EVENT_TYPE_', '').toLowerCase().replace(/(?:^|_)([a-z])/g, (_all, letter: string) => letter.toUpperCase()),
    }));
    expect(old[0]?.eventType).toBe('WorkflowExecutionStarted');
    expect((await replay('--history', file('old.json', JSON.stringify({ events: old })), '--workflows', workflows)).code).toBe(0);
  });

  it('tells what cannot be read or loaded from what does not match, by its exit code', async () => {
    const failures: [string[], RegExp][] = [
      [['--history', file('package.json', '{"name":"x"}'), '--workflows', workflows], /not the JSON of a history: expected an object with "events", got one with name/],
      [['--history', file('cut.json', '{"events": ['), '--workflows', workflows], /not the JSON of a history/],
      [['--history', file('bare.json', JSON.stringify({ events: [events('sleep')[0], { eventId: '2', eventType: 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED' }] })), '--workflows', workflows], /Expected an event with attributes, got \{"eventId":"2"/],
      [['--history', file('middle.json', JSON.stringify({ events: events('sleep').slice(2) })), '--workflows', workflows], /WorkflowExecutionStarted/],
      [['--history', join(folder, 'nowhere.json'), '--workflows', workflows], /expected a file or a folder, got .*nowhere\.json/],
      [['--history', history('sleep'), '--workflows', join(folder, 'nowhere.ts')], /expected a file with workflows, got .*nowhere\.ts/],
      [['--history', history('sleep'), '--workflows', file('fs.ts', `import 'node:fs';\nexport async function f() {}`)], /'node:fs' imported by .*fs\.ts/],
      [['--workflow-id', 'x', '--workflows', workflows, '--address', '127.0.0.1:1'], /No server answers at 127\.0\.0\.1:1/],
      [['--workflows', workflows], /Nothing to replay: name files with --history/],
      [['--history', history('sleep'), '--run-id', 'r', '--workflows', workflows], /--run-id goes with one --workflow-id, got 0/],
      [['--histories', history('sleep')], /unknown option/],
    ];
    for (const [args, message] of failures) {
      const { code, stdout, stderr } = await replay(...args);
      expect(stdout + stderr, args.join(' ')).toMatch(message);
      expect(code, args.join(' ')).toBe(2);
    }
  });
});

describe('with a server', () => {
  it('replays what is there, by id, by query, and from what `workflow show` printed', async () => {
    const server: Perdure = perdure(['server', 'start-dev', '--port', '0', '--headless']);
    const address = await server.grpcAddress();
    const source = (body: string): string => `import { sleep } from '@perdure/sdk/workflow';\nexport async function wait(): Promise<void> {\n  ${body}\n}\n`;
    const path = file('wait.ts', source('await sleep(1); await sleep(86_400_000);'));
    const connection = await Connection.connect({ address });
    const worker = await Worker.create({ connection, taskQueue: 'q', workflowsPath: path });
    try {
      await worker.runUntil(async () => {
        const handles = await Promise.all(['a', 'b'].map((id) => new Client({ connection }).workflow.start('wait', { taskQueue: 'q', workflowId: id })));
        for (const handle of handles) await until('two timers', async () => (await handle.fetchHistory()).events?.filter((event) => event.timerStartedEventAttributes).length === 2);
      });
      const env = { PERDURE_ADDRESS: address };
      const { stdout: shown } = await run(['workflow', 'show', 'a', '-o', 'json'], env);
      const saved = file('a.json', shown);
      const all = ['--history', saved, '--workflow-id', 'b', '--query', 'WorkflowType = "wait"'];
      const same = await run(['replay', ...all, '--workflows', path], env);
      expect(same.stdout).toMatch(/4 of 4 histories match/);
      expect(same.code).toBe(0);
      file('wait.ts', source('await sleep(1); await new Promise(() => {});'));
      const changed = await run(['replay', ...all, '--workflows', path], env);
      expect(changed.stdout).toMatch(/history holds TimerStarted \(timer 2\)\n +the code did nothing more/);
      expect(changed.stdout).toMatch(/0 of 4 histories match, 4 diverge/);
      expect(changed.code).toBe(1);
    } finally {
      await connection.close();
      await server.kill('SIGKILL');
    }
  });
});

describe('perdure bundle', () => {
  it('writes one file that workers and replay take instead of the sources', async () => {
    const out = join(folder, 'made', 'workflows.js');
    const { code, stdout, stderr } = await run(['bundle', '--workflows', workflows, '--out', out]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Bundled .*workflows2\.js into .*workflows\.js: \d+ kB, with its source map, in \d+ ms\.\n$/);
    expect(code).toBe(0);
    const replayed = await replay('--history', history('non-determinism'), '--history', history('sleep'), '--bundle', out);
    expect(replayed.stdout).toMatch(/at \S*workflows2\.js:50:\d+, in changing/);
    expect(replayed.stdout).toMatch(/1 of 2 histories match, 1 diverges/);
    for (const codePath of [out, pathToFileURL(out).href]) await Worker.runReplayHistory({ workflowBundle: { codePath } }, JSON.parse(readFileSync(history('sleep'), 'utf8')));
    await expect(Worker.runReplayHistory({ workflowBundle: { codePath: `${out}.not` } }, {})).rejects.toThrow(/workflowBundle.codePath: expected a bundle in .*\.not, got: ENOENT/);
    // A worker that has the file alone shows the lines of the sources.
    await expect(Worker.runReplayHistory({ workflowBundle: { codePath: out } }, JSON.parse(readFileSync(history('throws-error'), 'utf8')))).rejects.toMatchObject({
      message: 'a bug',
      stack: expect.stringMatching(/workflows2\.js:43:\d+/) as string,
    });
  });

  it('says what stands in the way', async () => {
    const { code, stderr } = await run(['bundle', '--workflows', file('net.ts', `import net from 'net';\nexport const f = async () => net;`), '--out', join(folder, 'x.js')]);
    expect(stderr).toMatch(/'net' imported by .*net\.ts[\s\S]*Use them in activities/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });
});
