// Changed code against recorded histories: one error that says what the code did and where, what history holds and at which event, and what
// to do about it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWorkflowHost } from '../../../worker-sdk/replay/create-workflow-host.js';
import { historyFromJson } from '../../../worker-sdk/replay/history-json.js';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { HistoryDriver } from './history-driver.js';
import { makeHost } from './make-host.js';
import { silentLogger } from './silent-logger.js';

const NON_DETERMINISTIC = temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;

interface Change {
  name: string;
  before: string;
  after: string;
  /** What happens before the code changes. */
  history?: (driver: HistoryDriver) => Promise<unknown>;
  /** What happens after: enough to make the difference visible. */
  then?: (driver: HistoryDriver) => unknown;
  /** `undefined` where the change is allowed. */
  message: RegExp | undefined;
}

const CHANGES: Change[] = [
  {
    name: 'a timer became an activity',
    before: `await sleep('1 day');`,
    after: `await acts.pay();`,
    message: /event 5: the workflow code scheduled activity 'pay' \(id 1\) at .*workflows\.ts:5:\d+.*, but history holds TimerStarted \(timer 1\)/,
  },
  {
    name: 'an activity was renamed',
    before: `await acts.pay();`,
    after: `await acts.charge();`,
    message: /event 5: .*scheduled activity 'charge' \(id 1\) at .*workflows\.ts:5:\d+.*, but history holds ActivityTaskScheduled \(activity 'pay', id 1\)/,
  },
  {
    name: 'two activities changed places',
    before: `await Promise.all([acts.a(), acts.b()]);`,
    after: `await Promise.all([acts.b(), acts.a()]);`,
    message: /event 5: .*scheduled activity 'b'.*history holds ActivityTaskScheduled \(activity 'a'/,
  },
  {
    name: 'an activity came in between',
    before: `await acts.a(); await sleep(1000);`,
    after: `await acts.a(); await acts.check(); await sleep(1000);`,
    history: async (driver) => {
      await driver.task();
      await driver.completeActivity(1).task();
    },
    message: /event 11: .*scheduled activity 'check'.*history holds TimerStarted \(timer 1\)/,
  },
  {
    name: 'the code does less',
    before: `await Promise.all([acts.a(), acts.b()]);`,
    after: `await acts.a();`,
    message: /event 6: the workflow code did nothing more: it waits at wf .*workflows\.ts:5:\d+.*, but history holds ActivityTaskScheduled \(activity 'b', id 2\)/,
  },
  {
    name: 'the code ends earlier',
    before: `await sleep(1000); await acts.a();`,
    after: `await sleep(1000);`,
    history: async (driver) => {
      await driver.task();
      await driver.fireTimer().task();
    },
    message: /event 10: the workflow code completed the workflow, but history holds ActivityTaskScheduled \(activity 'a', id 1\)/,
  },
  {
    name: 'the code fails the workflow where it went on',
    before: `await sleep(1000); await sleep(2000);`,
    after: `await sleep(1000); throw new ApplicationFailure('no');`,
    history: async (driver) => {
      await driver.task();
      await driver.fireTimer().task();
    },
    message: /event 10: the workflow code failed the workflow \('no'\), but history holds TimerStarted \(timer 2\)/,
  },
  {
    name: 'patched() was taken away',
    before: `if (patched('fix-1')) await acts.a(); else await sleep(1);`,
    after: `await acts.a();`,
    message: /event 5: the workflow code no longer calls patched\('fix-1'\): it scheduled activity 'a' .* at .*workflows\.ts:5:\d+.*deprecatePatch/,
  },
  {
    name: 'patched() became deprecatePatch()',
    before: `if (patched('fix-1')) await acts.a();`,
    after: `deprecatePatch('fix-1'); await acts.a();`,
    message: undefined,
  },
  {
    name: 'deprecatePatch() was taken away',
    before: `deprecatePatch('fix-1'); await acts.a();`,
    after: `await acts.a();`,
    message: undefined,
  },
  {
    name: 'patched() was put in front of old code',
    before: `await sleep(1000);`,
    after: `if (patched('fix-1')) await acts.a(); else await sleep(1000);`,
    message: undefined,
  },
  {
    name: 'a child became an activity',
    before: `await startChild('other', { workflowId: 'c' });`,
    after: `await acts.a();`,
    message: /event 5: .*scheduled activity 'a'.*history holds StartChildWorkflowExecutionInitiated \(workflow 'other', id 'c'\)/,
    history: (driver) => childTask(driver),
  },
  {
    name: 'a child has another type',
    before: `await startChild('other', { workflowId: 'c' });`,
    after: `await startChild('another', { workflowId: 'c' });`,
    message: /event 5: .*'another'.*history holds StartChildWorkflowExecutionInitiated \(workflow 'other', id 'c'\)/,
    history: (driver) => childTask(driver),
  },
  {
    name: 'a timer is cancelled no more',
    before: `const scope = new CancellationScope(); const t = scope.run(() => sleep(9000)).catch(() => {}); await sleep(1000); scope.cancel(); await acts.a();`,
    after: `const scope = new CancellationScope(); const t = scope.run(() => sleep(9000)).catch(() => {}); await sleep(1000); await acts.a();`,
    history: async (driver) => {
      await driver.task();
      await driver.fireTimer('2').task();
    },
    message: /event 12: the workflow code did nothing more: it waits at .*workflows\.ts:5:\d+, but history holds TimerCanceled \(timer 1\)/,
  },
  {
    name: 'search attributes are not set any more',
    before: `upsertMemo({ a: 1 }); await sleep(1);`,
    after: `await sleep(1);`,
    message: /event 5: .*started timer 1.*history holds WorkflowPropertiesModified/,
  },
  {
    name: 'an update has no handler any more',
    before: `setHandler(defineUpdate('change'), async () => 1); await condition(() => false);`,
    after: `await condition(() => false);`,
    history: async (driver) => {
      await driver.update('u1', 'change').task();
    },
    message: /event 5: .*history holds WorkflowExecutionUpdateAccepted \(update 'u1'\)/,
  },
  {
    name: 'the code throws',
    before: `await sleep(1000);`,
    after: `throw new TypeError('a bug');`,
    message: /^a bug$/,
  },
];

async function childTask(driver: HistoryDriver): Promise<void> {
  // The driver does not know children; this is all it takes here.
  const outcome = await driver.rawTask();
  if (outcome.kind !== 'completed') throw new Error('not completed');
  const { completion } = outcome;
  const started = driver.events.length;
  driver.add('WORKFLOW_TASK_COMPLETED', {
    workflowTaskCompletedEventAttributes: { scheduledEventId: (started - 1) as never, startedEventId: started as never, sdkMetadata: completion.sdkMetadata },
  });
  driver.add('START_CHILD_WORKFLOW_EXECUTION_INITIATED', {
    startChildWorkflowExecutionInitiatedEventAttributes: completion.commands![0]!.startChildWorkflowExecutionCommandAttributes as object,
  });
  driver.previousStarted = started;
}

const code = (body: string) => `import { sleep, proxyActivities, condition, patched, deprecatePatch, startChild, CancellationScope, ApplicationFailure,
  upsertMemo, setHandler, defineUpdate } from '@perdure/sdk/workflow';
const acts = proxyActivities<Record<string, () => Promise<unknown>>>({ startToCloseTimeout: '1m' });
export async function wf() {
  ${body}
}`;

describe('changes', () => {
  test.each(CHANGES)('$name', async ({ before, after, history, message }) => {
    const [old, changed] = [await makeHost(code(before)), await makeHost(code(after))];
    try {
      const driver = new HistoryDriver(old, 'wf');
      if (history) await history(driver);
      else await driver.task();
      await expect(old.replayHistory({ events: driver.events })).resolves.not.toHaveProperty('error');
      // As a replay, and as the next task of a worker with the new code: in the same words.
      const replay = await changed.replayHistory({ events: driver.events });
      const live = await new Later(changed, driver).next();
      if (message === undefined) {
        expect(replay.error).toBeUndefined();
        expect(live.kind).toBe('completed');
        return;
      }
      expect(replay.error?.message).toMatch(message);
      const said = live.kind === 'failed' ? live.failure.failure.message : '';
      expect(said).toBe(replay.error?.message);
      if (message.source.includes('a bug')) return;
      expect(replay.error?.name).toBe('NondeterminismError');
      expect(live).toMatchObject({ kind: 'failed', failure: { cause: NON_DETERMINISTIC } });
      expect(said).toContain('patched()');
    } finally {
      old.dispose();
      changed.dispose();
    }
  });
});

/** The same run on another worker. */
class Later extends HistoryDriver {
  constructor(host: WorkflowHost, from: HistoryDriver) {
    super(host, from.workflowType, [], { runId: from.runId, workflowId: from.workflowId, full: true });
    this.events.splice(0, this.events.length, ...from.events);
    this.previousStarted = from.previousStarted;
  }

  next() {
    this.signal('unknown');
    return this.rawTask();
  }
}

describe('recorded histories', () => {
  const data = new URL('../../histories/sdk/', import.meta.url);
  let host: WorkflowHost;

  beforeAll(async () => {
    host = await createWorkflowHost({
      workflowsPath: fileURLToPath(new URL('workflows2.js', data)),
      namespace: 'default',
      taskQueue: 'tq',
      identity: 'test',
      logger: silentLogger,
      runLocalActivity: () => Promise.reject(new Error('none')),
    });
  });
  afterAll(() => host.dispose());

  test('the history that the official worker refuses is refused', async () => {
    const history = historyFromJson(JSON.parse(readFileSync(new URL('non-determinism.json', data), 'utf8')));
    const { error } = await host.replayHistory(history);
    expect(error?.name).toBe('NondeterminismError');
    expect(error?.message).toMatch(/event \d+: the workflow code .*at .*workflows2\.js:\d+:\d+.*, but history holds/);
  });
});
