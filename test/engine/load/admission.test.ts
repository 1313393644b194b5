/** Who is let in, in what order, who is refused, and with what hint. */
import { describe, expect, it } from 'vitest';
import { enums, fromDuration } from '../../../server/core/api.js';
import { ServiceError } from '../../../server/core/errors.js';
import type { Ticket } from '../../../server/engine/call.js';
import { Admission, STARTS_MIN, STARTS_MIN_BEHIND } from '../../../server/engine/load/admission.js';
import type { Line } from '../../../server/engine/load/call-kind.js';
import { DEFAULT_LOAD_LIMITS, type LoadLimits } from '../../../server/engine/load/load-limits.js';

const BYTES = 4096;

/** An admission with small limits, and a note of what happened in what order. */
function gate(limits: Partial<LoadLimits> = {}) {
  const clock = { ms: 1_000_000 };
  /** Polls that wait, by queue. */
  const polls: Record<string, number> = {};
  const promisePoll = (queue: string) => {
    if (!polls[queue]) return false;
    polls[queue]--;
    return true;
  };
  const admission = new Admission({ ...DEFAULT_LOAD_LIMITS, requestsMax: 2, queuedMax: 4, queuedMsMax: 1_000, ...limits }, () => clock.ms, promisePoll, () => 0.5);
  const told: string[] = [];
  const tickets = new Map<string, Ticket>();
  /** Asks to be let in; the answer is noted under the name. */
  const ask = (name: string, line: Line, namespace = 'a', bytes = BYTES, queue?: string): void => {
    const refuse = () => void told.push(`${name} refused`);
    try {
      const ticket = admission.enter(line, { namespace, queue }, bytes, { begin: () => void told.push(name), refuse });
      if (ticket) tickets.set(name, ticket);
      else told.push(name);
    } catch {
      refuse();
    }
  };
  return {
    admission,
    clock,
    told,
    giveWay: (name: string) => tickets.get(name)?.refuse(),
    cancel: (name: string) => tickets.get(name)?.withdraw(),
    polls,
    ask,
    /** Asks to start a run at a queue. */
    start: (name: string, queue: string, namespace = 'a') => ask(name, 'start', namespace, BYTES, queue),
    leave: (line: Line, bytes = BYTES) => admission.leave(line, bytes),
    /** What happened so far. */
    async happened(): Promise<string[]> {
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
    expect(await happened()).toEqual(['first', 'old refused']);
    leave('change');
    expect(await happened()).toEqual(['young']);
    expect(admission.refused.change).toBe(1);
    leave('change');
    expect(admission.working).toBe(0);
  });

  it('a place is given up once, with the refusal that everybody gets', async () => {
    const { ask, happened, admission, giveWay, cancel } = gate({ requestsMax: 1 });
    ask('first', 'change');
    ask('second', 'change');
    giveWay('second');
    giveWay('second');
    cancel('second');
    expect(await happened()).toEqual(['first', 'second refused']);
    expect([admission.queued, admission.refused.change]).toEqual([0, 1]);
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
    let refusal: unknown;
    try {
      admission.enter('change', { namespace: 'a' }, BYTES, { begin: () => undefined, refuse: () => undefined });
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
      admission.adjust({ busy, behind: busy, late: busy, critical: false, noTimeLeft: busy, closedPerS: 0, elapsedMs: 100 });
    };
    for (let i = 0; i < 10; i++) ask(`start ${i}`, 'start');
    expect((await happened()).length).toBe(10);
    look(true);
    expect(admission.rateOfStarts).toBe(50); // a hundred a second came
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

  const behind = { busy: true, behind: true, late: false, critical: false, noTimeLeft: true, closedPerS: 0, elapsedMs: 100 };

  it('while it is behind, a start comes in when a worker waits for its first task, whatever the rate', async () => {
    const { admission, start, happened, polls, clock } = gate({ requestsMax: 1_000, queuedMax: 1_000 });
    for (let i = 0; i < 20; i++) admission.adjust({ ...behind, late: true });
    start('by rate', 'slow');
    start('first of slow', 'slow');
    start('first of quick', 'quick');
    start('second of quick', 'quick', 'b');
    start('third of quick', 'quick');
    expect(await happened()).toEqual(['by rate']);
    admission.adjust(behind); // nothing is late any more, but workers are behind
    polls.quick = 2;
    admission.pollCame('quick');
    expect(await happened(), 'in the order in which they came, past those without a poll').toEqual(['first of quick', 'second of quick']);
    expect([admission.queued, admission.working]).toEqual([2, 3]);
    clock.ms += 1_000;
    admission.sweep();
    expect(await happened()).toEqual(['first of slow refused', 'third of quick refused']);
    polls.quick = 1;
    admission.pollCame('quick');
    expect(polls.quick, 'nobody waits for it').toBe(1);
  });

  it('a start that comes while a poll waits is not held, unless others have waited longer for that queue', async () => {
    const { admission, start, happened, polls } = gate({ requestsMax: 1_000, queuedMax: 1_000 });
    for (let i = 0; i < 20; i++) admission.adjust(behind);
    for (let i = 0; i < 100; i++) start(`by rate ${i}`, 'slow');
    await happened();
    polls.quick = 1;
    start('at once', 'quick');
    start('waits', 'quick');
    polls.quick = 1;
    start('waits longer', 'quick');
    expect(await happened()).toEqual(['at once']);
    admission.pollCame('quick');
    expect(await happened()).toEqual(['waits']);
  });

  it('looks itself for polls that nobody told it of', async () => {
    const { admission, start, happened, polls } = gate({ requestsMax: 1_000, queuedMax: 1_000 });
    for (let i = 0; i < 20; i++) admission.adjust({ ...behind, late: true });
    for (let i = 0; i < 10; i++) start(`start ${i}`, 'quick');
    await happened();
    polls.quick = 1;
    admission.adjust(behind);
    expect(polls.quick).toBe(0);
  });

  it('while commits or the event loop are late, polls let nobody in', async () => {
    const { admission, start, happened, polls } = gate({ requestsMax: 1_000, queuedMax: 1_000 });
    for (let i = 0; i < 20; i++) admission.adjust({ ...behind, late: true });
    start('by rate', 'quick');
    polls.quick = 10;
    start('waits', 'quick');
    admission.pollCame('quick');
    expect(await happened()).toEqual(['by rate']);
  });

  it('starts that polls let in use up the rate: as many fewer come without', async () => {
    const { admission, start, happened, polls, clock } = gate({ requestsMax: 10_000, queuedMax: 10_000 });
    for (let i = 0; i < 20; i++) admission.adjust(behind);
    clock.ms += 100;
    polls.quick = 200;
    for (let i = 0; i < 200; i++) start(`quick ${i}`, 'quick');
    for (let i = 0; i < 50; i++) start(`slow ${i}`, 'slow');
    expect((await happened()).filter((name) => name.startsWith('slow'))).toEqual([]);
    clock.ms += 200;
    admission.leave('start', BYTES);
    expect((await happened()).length, 'of 400 a second').toBe(40);
  });

  it('what one look found late is tried again bit by bit, and slowly while there is no time left', () => {
    const rateLater = (noTimeLeft: boolean) => {
      const { admission, start } = gate();
      for (let i = 0; i < 20; i++) admission.adjust(behind);
      start('by rate', 'slow');
      start('waits for ever', 'slow');
      for (let i = 0; i < 10; i++) admission.adjust({ ...behind, busy: false, behind: false, noTimeLeft });
      return Math.round(admission.rateOfStarts);
    };
    expect([rateLater(true), rateLater(false)]).toEqual([442, 652]);
  });

  it('a queue for slow workers is filled: while only they are behind, so many starts are let in as cost little', () => {
    const { admission, ask } = gate();
    for (let i = 0; i < 1_000; i++) ask(`start ${i}`, 'start');
    for (let i = 0; i < 100; i++) admission.adjust({ busy: true, behind: true, late: false, critical: false, noTimeLeft: true, closedPerS: 1, elapsedMs: 100 });
    expect(admission.rateOfStarts).toBe(STARTS_MIN_BEHIND);
  });

  it('starts come in at an even pace', async () => {
    const { admission, ask, happened, clock, leave } = gate({ requestsMax: 1_000, queuedMax: 1_000 });
    ask('running', 'change');
    for (let i = 0; i < 50; i++) admission.adjust({ busy: true, behind: true, late: true, critical: false, noTimeLeft: true, closedPerS: 200, elapsedMs: 100 });
    for (let i = 0; i < 50; i++) admission.adjust({ ...behind, behind: false, closedPerS: 200 });
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
    admission.adjust({ busy: true, behind: true, late: true, critical: true, noTimeLeft: true, closedPerS: 0, elapsedMs: 100 });
    ask('start', 'start');
    ask('signal', 'change');
    ask('answer', 'finish');
    admission.adjust({ busy: false, behind: false, late: false, critical: false, noTimeLeft: true, closedPerS: 0, elapsedMs: 100 });
    ask('later', 'start');
    expect(await happened()).toEqual(['start refused', 'signal refused', 'answer', 'later']);
  });
});
