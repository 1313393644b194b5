import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finished, type Perdure, perdure, run } from '../helpers/perdure-process.js';

let server: Perdure;
let address: string;

beforeAll(async () => {
  server = perdure(['server', 'start-dev', '--port', '0', '--headless']);
  address = await server.grpcAddress();
});
afterAll(() => server.kill('SIGKILL'));

const cli = (...args: string[]): Promise<Finished> => run(args, { PERDURE_ADDRESS: address });

const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { stdout, stderr, code } = await cli(...args, '--output', 'json');
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
};

const start = (id: string, ...more: string[]): Promise<Record<string, unknown>> => json('workflow', 'start', '--type', 'greet', '-t', 'nobody', '-w', id, ...more);

describe('perdure workflow', () => {
  it('starts, signals, shows, describes, lists and ends a run', async () => {
    const { runId } = await start('story', '-i', '{"name":"Ada"}', '-i', '2');
    expect(runId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await cli('workflow', 'signal', 'story', 'hurry', '-i', '"now"')).stdout).toBe('Sent signal hurry to workflow story.\n');

    const { stdout: shown } = await cli('workflow', 'show', 'story');
    const lines = shown.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^ID +TIME +EVENT +DETAILS$/);
    expect(lines[1]).toMatch(/^1 +\d{4}-\d\d-\d\dT\S+Z +WorkflowExecutionStarted +greet {2}workflow=story {2}input=\{"name":"Ada"\}, 2/);
    expect(lines[3]).toMatch(/WorkflowExecutionSignaled +hurry {2}input="now"/);

    expect((await cli('workflow', 'describe', 'story')).stdout).toMatch(/Status +running/);
    expect((await cli('workflow', 'list')).stdout).toMatch(/running +story +greet/);

    expect((await cli('workflow', 'pause', 'story', '--reason', 'a look')).stdout).toBe('Paused workflow story.\n');
    const paused = (await cli('workflow', 'describe', 'story')).stdout;
    expect(paused).toMatch(/Status +PAUSED/i);
    expect(paused).toMatch(/Paused +since .*: a look/);
    expect((await cli('workflow', 'pause', 'story')).stderr).toContain('already paused');
    expect((await cli('workflow', 'unpause', 'story')).stdout).toBe('Workflow story goes on.\n');
    expect((await cli('workflow', 'cancel', 'story')).stdout).toBe('Asked workflow story to cancel.\n');
    expect((await cli('workflow', 'terminate', 'story', '--reason', 'enough')).code).toBe(0);
    const result = await cli('workflow', 'result', 'story');
    expect([result.code, result.stderr]).toEqual([1, 'perdure: WorkflowExecutionTerminated: enough\n']);
  });

  it('shows a history as JSON that the official SDK reads', async () => {
    await start('readable', '-i', '"x"');
    const shown = await json('workflow', 'show', 'readable');
    const { events } = historyFromJSON(shown);
    expect(events?.map((event) => [String(event.eventId), event.eventType])).toEqual([['1', 1], ['2', 5]]);
    expect(Buffer.from(events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? []).toString()).toBe('"x"');
    const first = (shown['events'] as Record<string, unknown>[])[0];
    expect(first).toMatchObject({ eventId: '1', eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED' });
  });

  it('says what is wrong, in a line, with an exit code', async () => {
    const failures: [string[], RegExp][] = [
      [['workflow', 'show', 'nobody'], /^perdure: .*not found.*nobody/i],
      [['workflow', 'show', 'x', '--namespace', 'nowhere'], /^perdure: .*nowhere/],
      [['workflow', 'start', '--type', 't', '-t', 'q', '-i', 'text'], /expected JSON, got text/],
      [['workflow', 'start', '-t', 'q'], /required option '--type/],
      [['workflow', 'list', '--limit', 'many'], /whole number/],
    ];
    for (const [args, message] of failures) {
      const { code, stderr, stdout } = await cli(...args);
      expect(stderr, args.join(' ')).toMatch(message);
      expect(code, args.join(' ')).not.toBe(0);
      expect(stdout).toBe('');
      expect(stderr).not.toMatch(/\n\s+at /); // no stack
    }
  });

  it('says that a query waits for a worker', async () => {
    await start('unasked');
    const asking = perdure(['workflow', 'query', 'unasked', 'state'], { PERDURE_ADDRESS: address });
    await asking.said(/^perdure: waiting for a worker of the workflow to answer/);
    expect((await asking.kill('SIGTERM')).stdout).toBe('');
  });

  it('says that no server answers, and what to do', async () => {
    const { code, stderr } = await run(['workflow', 'list', '--address', '127.0.0.1:1']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/No server answers at 127\.0\.0\.1:1\. Is it running .*PERDURE_ADDRESS/);
  });

  it('does not let what others wrote steer the terminal', async () => {
    await start('escape', '-i', JSON.stringify('\u001b[2Jgone\u0007'));
    await cli('workflow', 'signal', 'escape', '\u001b]0;title\u0007name');
    const { stdout } = await cli('workflow', 'show', 'escape');
    for (const character of ['\u001b', '\u0007']) expect(stdout).not.toContain(character);
  });
});

describe('perdure namespace', () => {
  it('registers, describes and lists', async () => {
    expect((await cli('namespace', 'register', 'mine', '--retention', '72h', '--description', 'of mine')).stdout).toBe('Namespace "mine" is registered.\n');
    expect((await cli('namespace', 'describe', 'mine')).stdout).toMatch(/Name +mine[\s\S]*Retention +3 d[\s\S]*Description +of mine/);
    expect((await cli('namespace', 'list')).stdout).toMatch(/^mine +registered +3 d +of mine$/m);
    expect((await cli('namespace', 'register', 'mine')).code).toBe(1);
  });
});

describe('perdure task-queue', () => {
  it('tells who polls and what waits', async () => {
    await start('waits');
    const { stdout } = await cli('task-queue', 'describe', '-t', 'nobody');
    expect(stdout).toMatch(/^WORKFLOW TASKS\nPRIORITY +BACKLOG +AGE +ADDED +DISPATCHED\nall +[1-9]\d* [\s\S]*\nNobody polls it\.\n\nACTIVITY TASKS\n/);
    expect(await json('task-queue', 'describe', '-t', 'nobody', '--task-queue-type', 'activity')).toMatchObject({ activity: { stats: {} } });
  });

  it('shows, sets and takes away limits and weights', async () => {
    const config = (...args: string[]) => cli('task-queue', 'config', ...args, '-t', 'limited');
    expect((await config('get')).stdout).toBe('Nothing is set for task queue "limited".\n');
    const set = ['set', '--queue-rps-limit', '2.5', '--queue-rps-limit-reason', 'too much', '--fairness-key-weight', 'a=b=3', '--identity', 'me'];
    expect((await config(...set)).stdout).toMatch(/^Queue limit +2\.5\/s, set by me \S+Z \(too much\)\nWeight of a=b +3\n$/);
    expect((await cli('task-queue', 'describe', '-t', 'limited')).stdout).toMatch(/Limited to 2\.5\/s by api\./);
    expect((await config('set', '--queue-rps-limit', 'default', '--fairness-key-weight', 'a=b=default')).stdout).toMatch(/^Queue limit +none, set by/);
    const failures: [string[], RegExp][] = [
      [['set'], /nothing to set/],
      [['set', '--queue-rps-limit', '-1'], /Expected tasks a second/],
      [['set', '--fairness-key-weight', 'a=0'], /expected key=weight/],
      [['set', '--queue-rps-limit', '1', '--task-queue-type', 'workflow'], /not allowed/],
    ];
    for (const [args, message] of failures) expect((await config(...args)).stderr, args.join(' ')).toMatch(message);
  });
});

describe('perdure worker', () => {
  it('says that there are none, and that one is not known', async () => {
    expect((await cli('worker', 'list')).stdout).toBe('No workers in namespace "default".\n');
    expect((await cli('worker', 'describe', 'nobody')).stderr).toMatch(/Worker nobody not found/);
    expect((await cli('worker', 'list', '-q', 'TaskQueue =')).code).toBe(1);
  });
});

describe('perdure approvals', () => {
  it('says that there are none, and that there is none to decide', async () => {
    expect((await cli('approvals', 'list')).stdout).toBe('No open approval requests in namespace "default".\n');
    await start('asks-nothing');
    const { code, stderr } = await cli('approve', 'asks-nothing', '--reason', 'why not');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^perdure: .*asks-nothing/);
  });

  it('wants a reason', async () => {
    expect((await cli('reject', 'story')).stderr).toMatch(/required option '--reason/);
  });
});

it('starts in a moment: help loads no codecs', async () => {
  const { stdout, code } = await cli('--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/Usage: perdure/);
  expect((await cli('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
