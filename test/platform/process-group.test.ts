/** `--processes`: several engine processes behind one port, one of them killed, all of them stopped together. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { joinMetrics } from '../../server/metrics-of-group.js';
import { killAfterEach, perdure, run } from '../helpers/perdure-process.js';
import { RawClient } from '../transport/raw-client.js';
import { until } from '../helpers/until.js';

killAfterEach();

const membersOf = (pid: number): number[] =>
  execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...args]) => Number(parent) === pid && args.join(' ').includes('group-member'))
    .map(([member]) => Number(member));

const list = (address: string): ReturnType<typeof run> => run(['namespace', 'list', '--address', address]);

/** One call on a connection of its own, by somebody who does not wait long. */
async function answers(address: string): Promise<boolean> {
  const client = new RawClient(address);
  try {
    return (await client.send('/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo', new Uint8Array(), { timeoutMs: 1_000 })).code === 'OK';
  } finally {
    client.close();
  }
}

describe('a group of engine processes', () => {
  it('serves on one port, replaces a process that dies, shows the metrics of all, and ends as one', { timeout: 60_000 }, async () => {
    const group = perdure(['server', 'start-dev', '--port', '0', '--http-port', '0', '--processes', '2']);
    const address = await group.grpcAddress();
    const members = membersOf(group.child.pid!);
    expect(members).toHaveLength(2);
    expect((await list(address)).code).toBe(0);

    process.kill(members[0]!, 'SIGKILL');
    expect((await list(address)).code).toBe(0);
    const replaced = await until('a new process', () => {
      const now = membersOf(group.child.pid!);
      return now.length === 2 && !now.includes(members[0]!) ? now : undefined;
    });
    const metrics = await until('metrics of both', async () => {
      const text = await (await fetch(`${await group.httpUrl()}/metrics`)).text();
      return /perdure_commits_total\{process="0"\}/.test(text) && /perdure_commits_total\{process="1"\}/.test(text) ? text : undefined;
    });
    expect(metrics.match(/# TYPE perdure_commits_total counter/g)).toHaveLength(1);

    expect((await group.kill('SIGTERM')).code).toBe(0);
    for (const member of replaced) expect(() => process.kill(member, 0)).toThrow(/ESRCH/);
  });

  it('serves new callers while the process that did the work is frozen, and ends it when it stays so', { timeout: 60_000 }, async () => {
    const group = perdure(['server', 'start-dev', '--port', '0', '--http-port', '0', '--processes', '2']);
    const address = await group.grpcAddress();
    expect((await list(address)).code).toBe(0);
    const [first] = membersOf(group.child.pid!);
    process.kill(first!, 'SIGSTOP');
    await until('another to serve', () => answers(address), 20_000);
    await until('the frozen one to be replaced', () => membersOf(group.child.pid!).length === 2 && !membersOf(group.child.pid!).includes(first!), 30_000);
    expect(await answers(address)).toBe(true);
    expect((await group.kill('SIGTERM')).code).toBe(0);
  });

  it('refuses a number of processes that makes no sense', async () => {
    const { code, stderr } = await run(['server', 'start-dev', '--processes', 'many']);
    expect(code).toBe(2);
    expect(stderr).toContain('--processes: expected a whole number from 1 to 64, or "auto" (one for each core), got "many"');
  });
});

describe('the metrics of several processes', () => {
  it('say of every sample which process it is of, and explain each name once', () => {
    const text = '# HELP a Things.\n# TYPE a counter\na 1\nb{kind="x"} 2.5\n';
    expect(joinMetrics([[0, text], [1, text.replace('a 1', 'a 7')]])).toBe(
      '# HELP a Things.\n# TYPE a counter\na{process="0"} 1\na{process="1"} 7\nb{process="0",kind="x"} 2.5\nb{process="1",kind="x"} 2.5\n',
    );
  });
});
