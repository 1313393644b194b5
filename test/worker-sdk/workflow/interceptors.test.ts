/** Interceptors of workflows: around what comes in, what goes out, and in which order. */
import { describe, expect, test } from 'vitest';
import { firstValue, HistoryDriver } from '../replay/history-driver.js';
import { useWorkflowCode } from './workflow-code.js';

const { file, open } = useWorkflowCode();

describe('interceptors', () => {
  const CODE = `
    import * as wf from '@perdure/sdk/workflow';
    const acts = wf.proxyActivities<Record<string, (...a: unknown[]) => Promise<any>>>({ startToCloseTimeout: '1m' });
    export const seen: string[] = [];
    export async function wf1(arg: string) {
      let end = false;
      wf.setHandler(wf.defineQuery('seen'), () => seen);
      wf.setHandler(wf.defineSignal<[string]>('end'), (a) => { seen.push('signal ' + a); end = true; });
      wf.setHandler(wf.defineUpdate<string, [string]>('up'), async (a) => 'updated ' + a, { validator: (a) => { if (a.includes('bad')) throw new Error('no ' + a); } });
      await wf.sleep(1000);
      const result = await acts.work(arg);
      await wf.getExternalWorkflowHandle('other').signal('hi', 1).catch(() => {});
      await wf.condition(() => end);
      return [arg, result];
    }
    export async function again() { await wf.continueAsNew('x'); }
    export async function parent() { await wf.startChild('kid', { args: [1], workflowId: 'kid-id' }); }`;
  const tracing = (name: string) => `
    import { defaultPayloadConverter } from '@perdure/sdk';
    const note = (what: string) => ((globalThis as any).trace ??= []).push('${name} ' + what);
    const mark = (args: any[]) => args.map((a) => (typeof a === 'string' ? a + '-${name}' : a));
    export const interceptors = () => ({
      inbound: [{
        async execute(input, next) { note('execute'); const r = await next({ ...input, args: mark(input.args) }); return Array.isArray(r) ? [...r, (globalThis as any).trace] : r; },
        async handleSignal(input, next) { note('signal ' + input.signalName); await next({ ...input, args: mark(input.args) }); },
        async handleQuery(input, next) { note('query'); return await next(input); },
        validateUpdate(input, next) { note('validate'); next({ ...input, args: mark(input.args) }); },
        async handleUpdate(input, next) { note('update'); return await next({ ...input, args: mark(input.args) }); },
      }],
      outbound: [{
        async startTimer(input, next) { note('timer ' + input.durationMs); await next({ ...input, durationMs: input.durationMs * 2 }); },
        async scheduleActivity(input, next) { note('activity ' + input.activityType); return next({ ...input, args: mark(input.args), headers: { ...input.headers, by: defaultPayloadConverter.toPayload('${name}')! } }); },
        async startChildWorkflowExecution(input, next) { note('child'); return next({ ...input, headers: { ...input.headers, by: defaultPayloadConverter.toPayload('${name}')! } }); },
        async signalWorkflow(input, next) { note('external ' + input.signalName); return next({ ...input, headers: { by: defaultPayloadConverter.toPayload('${name}')! } }); },
        async continueAsNew(input, next) { note('again'); return next({ ...input, args: mark(input.args), headers: { by: defaultPayloadConverter.toPayload('${name}')! } }); },
      }],
    });`;

  async function traced() {
    return open(CODE, { workflowInterceptorModules: [file('a.ts', tracing('A')), file('b.ts', tracing('B'))] });
  }

  test('wrap everything that comes in and goes out, the first one outermost', async () => {
    const host = await traced();
    const driver = new HistoryDriver(host, 'wf1', ['arg']);
    const first = await driver.task();
    expect(Number(first.commands![0]!.startTimerCommandAttributes!.startToFireTimeout!.seconds)).toBe(4);
    const second = await driver.fireTimer().task();
    const scheduled = second.commands![0]!.scheduleActivityTaskCommandAttributes!;
    expect(firstValue(scheduled.input)).toBe('arg-A-B-A-B');
    expect(firstValue({ payloads: [scheduled.header!.fields!.by!] })).toBe('B');
    const third = await driver.completeActivity('did').rawTask();
    const signalled = (
      third as {
        completion: { commands: { signalExternalWorkflowExecutionCommandAttributes?: { header?: { fields?: Record<string, never> } } }[] };
      }
    ).completion.commands[0]!.signalExternalWorkflowExecutionCommandAttributes!;
    expect(firstValue({ payloads: [signalled.header!.fields!.by!] })).toBe('B');
  });

  test('validate and change updates, signals and queries', async () => {
    const host = await traced();
    const driver = new HistoryDriver(host, 'wf1', ['arg']);
    await driver.task();
    const accepted = await driver.update('u1', 'up', 'good').task();
    expect(JSON.stringify(accepted.messages)).toContain('u1');
    const completed = driver.events.at(-1)!.workflowExecutionUpdateCompletedEventAttributes!;
    expect(firstValue(completed.outcome!.success)).toBe('updated good-A-B');
    driver.signal('end', 'sig');
    await driver.task();
    expect(await driver.query('seen')).toEqual(['signal sig-A-B']);
  });

  test('continue as new and children carry what they add', async () => {
    const host = await traced();
    const again = await new HistoryDriver(host, 'again').rawTask();
    const attributes = (
      again as {
        completion: {
          commands: { continueAsNewWorkflowExecutionCommandAttributes?: { input: never; header: { fields: Record<string, never> } } }[];
        };
      }
    ).completion.commands[0]!.continueAsNewWorkflowExecutionCommandAttributes!;
    expect(firstValue(attributes.input)).toBe('x-A-B');
    expect(firstValue({ payloads: [attributes.header.fields.by!] })).toBe('B');
    const parent = JSON.stringify(await new HistoryDriver(host, 'parent').rawTask());
    expect(parent).toContain('startChildWorkflowExecutionCommandAttributes');
    expect(parent).toMatch(/"header":\{"fields":\{"by"/);
  });

  test('are made once for each run', async () => {
    const host = await open(`export async function count() { return (globalThis as any).made; }`, {
      workflowInterceptorModules: [
        file('once.ts', `let made = 0; export const interceptors = () => { (globalThis as any).made = ++made; return {}; };`),
      ],
    });
    for (let i = 0; i < 3; i++) {
      const driver = new HistoryDriver(host, 'count');
      await driver.task();
      expect(driver.result).toBe(1);
    }
  });
});
