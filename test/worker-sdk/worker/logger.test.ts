// What the default logger writes of workflows: their errors as errors, their time as the time.
import { afterEach, expect, test, vi } from 'vitest';
import { DefaultLogger, type LogEntry, LogTimestamp } from '../../../worker-sdk/worker/index.js';
import { HistoryDriver } from '../replay/history-driver.js';
import { makeHost } from '../replay/make-host.js';

afterEach(() => {
  vi.restoreAllMocks();
});

const code = `import { log, ApplicationFailure } from '@perdure/sdk/workflow';
export async function wf() { log.info('hello', { n: 1, list: [{ a: 1 }] }); throw new ApplicationFailure('no', 'Kind', true, [], new TypeError('deep')); }`;

async function run(logger: DefaultLogger): Promise<void> {
  const host = await makeHost(code, { logger });
  try {
    await new HistoryDriver(host, 'wf').task();
  } finally {
    host.dispose();
  }
}

test("an entry of workflow code has the time of its call, under the SDK's symbol", async () => {
  const entries: LogEntry[] = [];
  await run(new DefaultLogger('INFO', (entry) => entries.push(entry)));
  const hello = entries.find(({ message }) => message === 'hello');
  expect(hello?.meta?.n).toBe(1);
  expect(hello?.timestampNanos).toBe(hello?.meta?.[LogTimestamp]);
  expect(LogTimestamp).toBe(Symbol.for('log_timestamp'));
});

test('an error of workflow code reads as an error, with its cause and the line in the sources', async () => {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  await run(new DefaultLogger());
  const failed = lines.find((line) => line.includes('Workflow failed')) ?? '';
  expect(failed).toMatch(/error: ApplicationFailure: no\n\s+at .*wf .*workflows\.ts:2:\d+/);
  expect(failed).toContain('[cause]: TypeError: deep');
  expect(lines.find((line) => line.includes('hello'))).toContain('list: [ { a: 1 } ]');
  expect(lines.join('')).not.toMatch(/ <|log_timestamp/);
});
