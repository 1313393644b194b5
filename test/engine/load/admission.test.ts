/** Who is let in, in what order, who is refused, and with what hint. */
import { describe, expect, it } from 'vitest';
import { enums, fromDuration } from '../../../server/core/api.js';
import { ServiceError } from '../../../server/core/errors.js';
import type { Call } from '../../../server/engine/call.js';
import { Admission, STARTS_MIN, STARTS_MIN_BEHIND } from '../../../server/engine/load/admission.js';
import type { Line } from '../../../server/engine/load/call-kind.js';
import { DEFAULT_LOAD_LIMITS, type LoadLimits } from '../../../server/engine/load/load-limits.js';

const BYTES = 4096;

/** An admission with small limits, and a note of what happened in what order. */
function gate(limits: Partial<LoadLimits> = {}) {
  const clock = { ms: 1_000_000 };
  const admission = new Admission({ ...DEFAULT_LOAD_LIMITS, requestsMax: 2, queuedMax: 4, queuedMsMax: 1_000, ...limits }, () => clock.ms, () => 0.5);
  const told: string[] = [];
  const cancels = new Map<string, () => void>();
  const call = (name: string): Call => ({
    method: 'Any',
    deadline: Number.POSITIVE_INFINITY,
    clientName: '',
    clientVersion: '',
    cancelled: false,
    onCancelled: (listener) => void cancels.set(name, listener),
  });
  return {
    admission,
    clock,
    told,
    cancel: (name: string) => cancels.get(name)?.(),
    /** Asks to be let in; the answer is noted under the name. */
    ask(name: string, line: Line, namespace = 'a', bytes = BYTES): void {
      const refused = () => void told.push(`${name} refused`);
      try {
        const turn = admission.enter(line, namespace, bytes, call(name));
        if (turn) turn.then(() => told.push(name), refused);
        else told.push(name);
      } catch {
        refused();
      }
    },
    leave: (line: Line, bytes = BYTES) => admission.leave(line, bytes),
    /** What happened so far, once promises have had their turn. */
    async happened(): Promise<string[]> {
      await Promise.resolve();
      await Promise.resolve();
      return told.splice(0);
    },
  };
}

describe('admission', () => {
  it('lets in at once while there is room, and then one for one', async () => {
    const { ask, leave, happened, admission } = gate();
    ask('one', 'change');
    ask('two', 'change');
    ask('three', 'change');
    expect(await happened()).toEqual(['one', 'two']);
    expect(admission.queued).toBe(1);
    leave('change');
    expect(await happened()).toEqual(['three']);
    expect([admission.working, admission.queued]).toEqual([2, 0]);
  });

  it('finishes what was begun before it changes anything, and that before it begins more', async () => {
    const { ask, leave, happened } = gate({ requestsMax: 1 });
    ask('running', 'finish');
    ask('running too', 'finish');
    ask('start', 'start');
    ask('signal', 'change');
    ask('answer', 'finish');
    // workers' answers may be twice as many; one start is always let in
    expect(await happened()).toEqual(['running', 'running too', 'start']);
    ask('second start', 'start');
    leave('finish');
    leave('finish');
    expect(await happened()).toEqual(['answer']);
    leave('start');
    expect(await happened()).toEqual(['second start']);
    leave('finish');
    leave('start');
    expect(await happened()).toEqual(['signal']);
  });

  it('gives every namespace its turn, however many requests one has waiting', async () => {
    const { ask, leave, happened } = gate({ requestsMax: 1, queuedMax: 100 });
    ask('first', 'change');
    for (let i = 0; i < 50; i++) ask(`storm ${i}`, 'change', 'storm');
    ask('calm 0', 'change', 'calm');
    ask('calm 1', 'change', 'calm');
    await happened();
    const order: string[] = [];
    for (let i = 0; i < 5; i++) {
      leave('change');
      order.push(...(await happened()));
    }
    expect(order).toEqual(['storm 0', 'calm 0', 'storm 1', 'calm 1', 'storm 2']);
  });

  it('in a full line, whoever has most gives way', async () => {
    const { ask, happened, admission } = gate({ requestsMax: 1 });
    ask('first', 'change');
    for (let i = 0; i < 5; i++) ask(`storm ${i}`, 'change', 'storm');
    expect(await happened()).toEqual(['first', 'storm 4 refused']);
    ask('calm', 'change', 'calm');
    expect(await happened()).toEqual(['storm 3 refused']);
    expect(admission.queued).toBe(4);
    expect(admission.refused.change).toBe(2);
  });

  it('refuses what has waited too long, and forgets whose caller went away', async () => {
    const { ask, happened, admission, clock, cancel, leave } = gate({ requestsMax: 1 });
    ask('first', 'change');
    ask('old', 'change');
    ask('gone', 'change', 'b');
    clock.ms += 900;
    ask('young', 'change');
    cancel('gone');
    clock.ms += 100;
    admission.sweep();
    expect(await happened()).toEqual(['first', 'gone refused', 'old refused']);
    leave('change');
    expect(await happened()).toEqual(['young']);
    expect(admission.refused.change).toBe(1);
    leave('change');
    expect(admission.working).toBe(0);
  });

  it('counts bytes as well, but a large request passes when it is alone', async () => {
    const MiB = 1024 * 1024;
    const { ask, happened, leave } = gate({ requestBytesMax: 8 * MiB, requestsMax: 10 });
    ask('large', 'change', 'a', 10 * MiB);
    ask('second', 'change', 'a', 5 * MiB);
    ask('third', 'change', 'a', 5 * MiB);
    expect(await happened()).toEqual(['large', 'third refused']);
    leave('change', 10 * MiB);
    expect(await happened()).toEqual(['second']);
  });

  it('says what is exhausted and when to come again', () => {
    const { admission, ask } = gate({ requestsMax: 1, queuedMax: 0 });
    ask('first', 'change');
    const call = { onCancelled: () => undefined } as unknown as Call;
    let refusal: unknown;
    try {
      void admission.enter('change', 'a', BYTES, call);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ServiceError);
    const { code, details } = refusal as ServiceError;
    expect(code).toBe('RESOURCE_EXHAUSTED');
    expect(details.map((d) => d.type)).toEqual(['temporal.api.errordetails.v1.ResourceExhaustedFailure', 'google.rpc.RetryInfo']);
    expect(details[0]!.value).toEqual({
      cause: enums.ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_SYSTEM_OVERLOADED,
      scope: enums.ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_SYSTEM,
    });
    expect(fromDuration((details[1]!.value as { retryDelay: object }).retryDelay)).toBe(1_150);
  });

  it('fewer starts are let in while the node is busy, never none, and as many as come again later', async () => {
    const { admission, ask, happened, clock } = gate({ requestsMax: 1_000, queuedMax: 1_000 });
    const look = (busy: boolean) => {
      clock.ms += 100;
      admission.adjust({ busy, behind: busy, late: busy, critical: false, taskWaitMs: 1_000, closedPerS: 0, elapsedMs: 100 });
    };
    for (let i = 0; i < 10; i++) ask(`start ${i}`, 'start');
    expect((await happened()).length).toBe(10);
    look(true);
    expect(admission.rateOfStarts).toBe(85); // a hundred a second came
    for (let i = 0; i < 20; i++) look(true);
    expect(admission.rateOfStarts).toBe(STARTS_MIN);
    for (let i = 0; i < 5; i++) ask(`late ${i}`, 'start');
    ask('signal', 'change');
    expect(await happened()).toEqual(['late 0', 'late 1', 'signal']);
    look(true);
    expect(await happened()).toEqual(['late 2', 'late 3']);
    for (let i = 0; i < 100; i++) look(false);
    expect(await happened()).toEqual(['late 4']);
    expect(admission.rateOfStarts).toBe(Number.POSITIVE_INFINITY);
  });

  it('while it is behind, starts keep pace with what ends: fewer while much waits, a few more while little does', () => {
    const rate = (taskWaitMs: number) => {
      const { admission } = gate({ taskWaitMsMax: 40 });
      for (let i = 0; i < 50; i++) admission.adjust({ busy: true, behind: true, late: true, critical: false, taskWaitMs, closedPerS: 500, elapsedMs: 100 });
      return Math.round(admission.rateOfStarts);
    };
    expect([2_000, 80, 40, 20].map(rate)).toEqual([400, 500 * 0.8, 500, 550]);
  });

  it('a queue for slow workers is filled: while only they are behind, so many starts are let in as cost little', () => {
    const { admission, ask } = gate();
    for (let i = 0; i < 1_000; i++) ask(`start ${i}`, 'start');
    for (let i = 0; i < 100; i++) admission.adjust({ busy: true, behind: true, late: false, critical: false, taskWaitMs: 60_000, closedPerS: 1, elapsedMs: 100 });
    expect(admission.rateOfStarts).toBe(STARTS_MIN_BEHIND);
  });

  it('starts come in at an even pace', async () => {
    const { admission, ask, happened, clock, leave } = gate({ requestsMax: 1_000, queuedMax: 1_000 });
    ask('running', 'change');
    for (let i = 0; i < 50; i++) admission.adjust({ busy: true, behind: true, late: true, critical: false, taskWaitMs: 1_000, closedPerS: 250, elapsedMs: 100 });
    expect(admission.rateOfStarts).toBe(200);
    for (let i = 0; i < 60; i++) ask(`start ${i}`, 'start');
    await happened();
    const came: number[] = [];
    for (let i = 0; i < 10; i++) {
      clock.ms += 10;
      ask(`another ${i}`, 'change');
      leave('change');
      came.push((await happened()).filter((name) => name.startsWith('start')).length);
    }
    expect(came).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    clock.ms += 5_000;
    leave('change');
    expect((await happened()).length, 'no more than those of a tenth of a second at once').toBe(20);
  });

  it('short of memory, only what finishes work is let in', async () => {
    const { admission, ask, happened } = gate();
    admission.adjust({ busy: true, behind: true, late: true, critical: true, taskWaitMs: 1000, closedPerS: 0, elapsedMs: 100 });
    ask('start', 'start');
    ask('signal', 'change');
    ask('answer', 'finish');
    admission.adjust({ busy: false, behind: false, late: false, critical: false, taskWaitMs: 1000, closedPerS: 0, elapsedMs: 100 });
    ask('later', 'start');
    expect(await happened()).toEqual(['start refused', 'signal refused', 'answer', 'later']);
  });
});
