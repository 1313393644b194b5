// What surrounds workflow code: interceptors, sinks, logs, metrics, converters, and the options a workflow sets for itself.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Logger, LogMetadata } from '../../../worker-sdk/definitions/logger.js';
import type { MetricMeter, MetricTags } from '../../../worker-sdk/definitions/metrics.js';
import { noopMetricMeter } from '../../../worker-sdk/definitions/metrics.js';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver } from '../replay/history-driver.js';
import { makeHost } from '../replay/make-host.js';
import { useWorkflowCode } from './workflow-code.js';

const { file, open } = useWorkflowCode();

interface Entry {
  level: string;
  message: string;
  meta: LogMetadata | undefined;
}

function recorder(entries: Entry[]): Logger {
  const at = (level: string) => (message: string, meta?: LogMetadata) => void entries.push({ level, message, meta });
  return {
    log: (level, message, meta) => at(level)(message, meta),
    trace: at('TRACE'),
    debug: at('DEBUG'),
    info: at('INFO'),
    warn: at('WARN'),
    error: at('ERROR'),
  };
}

describe('sinks and logs', () => {
  const CODE = `
    import { log, proxySinks, sleep, workflowInfo } from '@perdure/sdk/workflow';
    const { alerts } = proxySinks<{ alerts: { alert(m: string, o: object): void; always(m: string): void; broken(): void } }>();
    export async function noisy() {
      log.info('before', { n: 1 });
      alerts.alert('one', { list: [1, 2] });
      alerts.always('first');
      await sleep(1000);
      log.warn('after');
      console.log('printed', { a: 1 });
      alerts.alert('two', {});
      alerts.always('second');
      alerts.broken();
      return workflowInfo().workflowId;
    }
    export async function unknown() { (proxySinks() as any).nowhere.call(1); return 'went on'; }`;
  const entries: Entry[] = [];
  const calls: unknown[][] = [];
  let host: WorkflowHost;

  beforeAll(async () => {
    host = await makeHost(CODE, {
      logger: recorder(entries),
      sinks: {
        alerts: {
          alert: {
            fn: (info: { workflowId: string }, ...args: unknown[]) => void calls.push(['alert', info.workflowId, ...args]),
          } as never,
          always: { fn: (_info: unknown, ...args: unknown[]) => void calls.push(['always', ...args]), callDuringReplay: true } as never,
          broken: {
            fn: () => {
              throw new Error('sink bug');
            },
          } as never,
        },
      },
    });
  });
  afterAll(() => host.dispose());

  test('are called outside, once, and in replay only when they ask for it', async () => {
    entries.length = 0;
    const driver = new HistoryDriver(host, 'noisy', [], { workflowId: 'loud' });
    await driver.task();
    expect(calls).toEqual([
      ['alert', 'loud', 'one', { list: [1, 2] }],
      ['always', 'first'],
    ]);
    host.evict(driver.runId);
    calls.length = 0;
    await driver.fireTimer().task();
    expect(driver.result).toBe('loud');
    expect(calls).toEqual([
      ['always', 'first'],
      ['alert', 'loud', 'two', {}],
      ['always', 'second'],
    ]);
    const own = entries.filter(({ message }) => ['before', 'after', 'printed { a: 1 }'].includes(message) || message.startsWith('printed'));
    expect(own.map(({ level, message }) => `${level} ${message.split(' ')[0]}`)).toEqual(['INFO before', 'WARN after', 'INFO printed']);
    expect(own[0]!.meta).toMatchObject({
      n: 1,
      workflowId: 'loud',
      runId: driver.runId,
      workflowType: 'noisy',
      namespace: 'default',
      taskQueue: 'tq',
    });
  });

  test('one that throws is logged and harms nobody', async () => {
    expect(entries.some(({ level, message, meta }) => level === 'ERROR' && `${message} ${String(meta?.error)}`.includes('sink bug'))).toBe(
      true,
    );
  });

  test('one that is not there is left out', async () => {
    const driver = new HistoryDriver(host, 'unknown');
    await driver.task();
    expect(driver.result).toBe('went on');
  });
});

test('metrics are counted once, with the tags of the run', async () => {
  const recorded: unknown[] = [];
  const instrument = (kind: string, name: string) => ({
    name,
    kind,
    valueType: 'int',
    add: (value: number, tags: MetricTags = {}) => void recorded.push([name, value, tags]),
    record: (value: number, tags: MetricTags = {}) => void recorded.push([name, value, tags]),
    set: (value: number, tags: MetricTags = {}) => void recorded.push([name, value, tags]),
    withTags: (tags: MetricTags) => ({
      ...instrument(kind, name),
      add: (value: number, more: MetricTags = {}) => void recorded.push([name, value, { ...tags, ...more }]),
    }),
  });
  const meter = {
    ...noopMetricMeter,
    createCounter: (name: string) => instrument('counter', name),
    createHistogram: (name: string) => instrument('histogram', name),
    createGauge: (name: string) => instrument('gauge', name),
  } as unknown as MetricMeter;
  const host = await open(
    `import { metricMeter, sleep } from '@perdure/sdk/workflow';
     export async function measured() {
       metricMeter.createCounter('orders').add(2, { kind: 'big' });
       await sleep(1000);
       metricMeter.createHistogram('size').record(7);
       metricMeter.withTags({ zone: 'a' }).createGauge('level').set(3);
     }`,
    { metricMeter: meter },
  );
  const driver = new HistoryDriver(host, 'measured');
  await driver.task();
  host.evict(driver.runId);
  await driver.fireTimer().task();
  expect(recorded).toEqual([
    ['orders', 2, expect.objectContaining({ kind: 'big', workflowType: 'measured', namespace: 'default' })],
    ['size', 7, expect.objectContaining({ workflowType: 'measured' })],
    ['level', 3, expect.objectContaining({ zone: 'a' })],
  ]);
});

describe('converters', () => {
  test("the user's payload converter speaks for arguments, results and activities", async () => {
    const payloadConverterPath = file(
      'converter.ts',
      `import { CompositePayloadConverter, JsonPayloadConverter, UndefinedPayloadConverter, encodingKeys, encode, decode } from '@perdure/sdk';
       class DateConverter {
         encodingType = 'test/date';
         toPayload(value: unknown) { return value instanceof Date ? { metadata: { encoding: encode('test/date') }, data: encode(String(value.getTime())) } : undefined; }
         fromPayload(payload: any) { return new Date(Number(decode(payload.data))); }
       }
       export const payloadConverter = new CompositePayloadConverter(new UndefinedPayloadConverter(), new DateConverter(), new JsonPayloadConverter());`,
    );
    const host = await open(
      `import { proxyActivities } from '@perdure/sdk/workflow';
       const acts = proxyActivities<{ when(d: Date): Promise<Date> }>({ startToCloseTimeout: '1m' });
       export async function dated() { const d = await acts.when(new Date(5)); return d instanceof Date ? new Date(d.getTime() + 1) : 'no date'; }`,
      { payloadConverterPath },
    );
    const driver = new HistoryDriver(host, 'dated');
    const { commands } = await driver.task();
    const [payload] = commands![0]!.scheduleActivityTaskCommandAttributes!.input!.payloads!;
    expect(Buffer.from(payload!.metadata!.encoding!).toString()).toBe('test/date');
    expect(Buffer.from(payload!.data!).toString()).toBe('5');
    driver.completeActivity('unused');
    driver.events.at(-1)!.activityTaskCompletedEventAttributes!.result = {
      payloads: [{ metadata: { encoding: Buffer.from('test/date') }, data: Buffer.from('41') }],
    };
    await driver.task();
    const [result] = driver.events.at(-1)!.workflowExecutionCompletedEventAttributes!.result!.payloads!;
    expect(Buffer.from(result!.data!).toString()).toBe('42');
  });

  test("the user's failure converter speaks for errors", async () => {
    const failureConverterPath = file(
      'failures.ts',
      `import { DefaultFailureConverter } from '@perdure/sdk';
       class Hiding extends DefaultFailureConverter {
         errorToFailure(error: unknown, converter: any) { const failure = super.errorToFailure(error, converter); return { ...failure, message: 'hidden: ' + failure.message }; }
       }
       export const failureConverter = new Hiding();`,
    );
    const host = await open(
      `import { ApplicationFailure } from '@perdure/sdk/workflow';
       export async function fails() { throw ApplicationFailure.create({ message: 'secret', details: [1] }); }`,
      { failureConverterPath },
    );
    const driver = new HistoryDriver(host, 'fails');
    await driver.task();
    expect(driver.events.at(-1)!.workflowExecutionFailedEventAttributes!.failure).toMatchObject({ message: 'hidden: secret' });
  });

  test('a file that does not export what it is for is refused', async () => {
    await expect(
      open('export async function wf() {}', { payloadConverterPath: file('none.ts', 'export const other = 1;') }),
    ).rejects.toThrow(/payloadConverter/);
    await expect(
      open('export async function wf() {}', { failureConverterPath: file('none2.ts', 'export const failureConverter = {};') }),
    ).rejects.toThrow(/failureConverter/);
  });
});

describe('which errors fail the run', () => {
  const CODE = `
    import { setWorkflowOptions, ApplicationFailure } from '@perdure/sdk/workflow';
    class OrderError extends Error { name = 'OrderError'; }
    class LateOrderError extends OrderError { name = 'LateOrderError'; }
    export async function plain() { throw new OrderError('plain'); }
    export async function late() { throw new LateOrderError('late'); }
    export async function chosen() { throw new LateOrderError('chosen'); }
    setWorkflowOptions({ failureExceptionTypes: [OrderError] }, chosen);
    export async function other() { throw new TypeError('other'); }
    setWorkflowOptions({ failureExceptionTypes: [OrderError] }, other);`;
  const outcome = async (host: WorkflowHost, type: string) => {
    const driver = new HistoryDriver(host, type);
    const answer = await driver.rawTask();
    return answer.kind === 'failed'
      ? 'task'
      : answer.kind === 'completed' && answer.completion.commands![0]!.failWorkflowExecutionCommandAttributes
        ? 'run'
        : answer.kind;
  };

  test('failures do, errors do not, unless the workflow says so', async () => {
    const host = await open(CODE);
    expect(await Promise.all(['plain', 'late', 'chosen', 'other'].map((type) => outcome(host, type)))).toEqual([
      'task',
      'task',
      'run',
      'task',
    ]);
  });

  test('or the worker, by name: the classes above count as well', async () => {
    const host = await open(CODE, { workflowFailureErrorTypes: { '*': ['OrderError'] } });
    expect(await Promise.all(['plain', 'late', 'other'].map((type) => outcome(host, type)))).toEqual(['run', 'run', 'task']);
    const all = await open(CODE, { workflowFailureErrorTypes: { '*': ['Error'] } });
    expect(await outcome(all, 'other')).toBe('run');
    const some = await open(CODE, { workflowFailureErrorTypes: { late: ['OrderError'], other: ['RangeError'] } });
    expect(await Promise.all(['plain', 'late', 'other'].map((type) => outcome(some, type)))).toEqual(['task', 'run', 'task']);
  });
});

test('versioning behavior goes with every completion', async () => {
  const host = await open(
    `import { setWorkflowOptions, sleep } from '@perdure/sdk/workflow';
     export async function pinned() { await sleep(1000); }
     setWorkflowOptions({ versioningBehavior: 'PINNED' }, pinned);
     export async function decides() { await sleep(1000); }
     setWorkflowOptions(() => ({ versioningBehavior: 'AUTO_UPGRADE' }), decides);
     export async function silent() { await sleep(1000); }`,
    { deploymentVersion: { deploymentName: 'd', buildId: 'b1' }, defaultVersioningBehavior: 2 },
  );
  const behaviors: unknown[] = [];
  for (const type of ['pinned', 'decides', 'silent']) {
    const driver = new HistoryDriver(host, type);
    behaviors.push((await driver.task()).versioningBehavior, (await driver.fireTimer().task()).versioningBehavior);
  }
  expect(behaviors).toEqual([1, 1, 2, 2, 2, 2]);
});

test('a local activity that the worker does not have fails the task', async () => {
  const host = await open(
    `import { proxyLocalActivities } from '@perdure/sdk/workflow';
     export async function wf() { return proxyLocalActivities<any>({ startToCloseTimeout: '1m' }).nope(); }`,
    { activityNames: new Set(['known']) },
  );
  const outcome = await new HistoryDriver(host, 'wf').rawTask();
  expect(outcome.kind).toBe('failed');
  expect(JSON.stringify(outcome)).toMatch(/nope/);
});

describe('patches decided outside', () => {
  const CODE = `
    import { deprecatePatch, patched, sleep } from '@perdure/sdk/workflow';
    export async function wf() { const first = patched('p'); await sleep(1000); const again = patched('p'); deprecatePatch('old'); return [first, again]; }`;

  test.each([true, false])('%s', async (follows) => {
    const asked: unknown[] = [];
    const host = await open(CODE, {
      patchActivationCallback: ({ workflowInfo, patchId }) => {
        asked.push([workflowInfo.workflowId, patchId]);
        return follows;
      },
    });
    const driver = new HistoryDriver(host, 'wf', [], { workflowId: `patched-${follows}` });
    const { commands } = await driver.task();
    expect(commands!.filter(({ recordMarkerCommandAttributes: marker }) => marker?.markerName === 'core_patch')).toHaveLength(
      follows ? 1 : 0,
    );
    await driver.fireTimer().task();
    expect(driver.result).toEqual([follows, follows]);
    expect(asked).toEqual([[driver.workflowId, 'p']]);
    await driver.replay();
    expect(asked).toHaveLength(1);
  });

  test('an answer that is none fails the task', async () => {
    const host = await open(CODE, { patchActivationCallback: () => 1 as never });
    const outcome = await new HistoryDriver(host, 'wf').rawTask();
    expect(JSON.stringify(outcome)).toMatch(/patchActivationCallback to return a boolean, got number/);
  });
});

test('a mismatch fails the run when the worker is asked for that', async () => {
  const before = await open(`import { sleep } from '@perdure/sdk/workflow'; export async function wf() { await sleep(1000); }`);
  const driver = new HistoryDriver(before, 'wf');
  await driver.task();
  const events = driver.events.slice();
  for (const [types, kind] of [
    [{ '*': ['NondeterminismError'] }, 'completed'],
    [{ wf: ['Error'] }, 'completed'],
    [{ other: ['NondeterminismError'] }, 'failed'],
  ] as const) {
    const after = await open(`export async function wf() { return 'changed'; }`, { workflowFailureErrorTypes: types });
    const later = new HistoryDriver(after, 'wf', [], { runId: driver.runId, workflowId: driver.workflowId, full: true });
    later.events.splice(0, later.events.length, ...events);
    later.previousStarted = driver.previousStarted;
    const outcome = await later.signal('any').rawTask();
    expect(outcome.kind).toBe(kind);
    if (outcome.kind !== 'completed') continue;
    const failure = outcome.completion.commands![0]!.failWorkflowExecutionCommandAttributes!.failure!;
    expect(failure.message).toMatch(/Nondeterminism at event 5/);
    expect(failure.applicationFailureInfo?.type).toBe('NondeterminismError');
  }
});

test('stack trace queries show sources when the worker is asked for that', async () => {
  const code = `import { sleep } from '@perdure/sdk/workflow';\nexport async function wf() {\n  await sleep(1000);\n}\n`;
  for (const showStackTraceSources of [true, false]) {
    const host = await open(code, { showStackTraceSources });
    const driver = new HistoryDriver(host, 'wf');
    await driver.task();
    const trace = (await driver.query('__enhanced_stack_trace')) as {
      stacks: { locations: { file_path: string; line: number }[] }[];
      sources: Record<string, { content: string }[]>;
    };
    const location = trace.stacks[0]!.locations[0]!;
    expect(location).toMatchObject({ file_path: expect.stringMatching(/workflows\.ts$/), line: 3 });
    expect(trace.sources[location.file_path]?.[0]?.content).toBe(showStackTraceSources ? code : undefined);
  }
});
