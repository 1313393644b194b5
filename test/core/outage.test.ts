/** What waits after an outage, and for how long. */
import { describe, expect, it } from 'vitest';
import { GRACE_MS, workersDeadline } from '../../server/core/outage.js';
import { Outage } from '../../server/loops/outage.js';

describe('after an outage', () => {
  it('what workers should have done by then waits for a moment, and nothing that falls due later', () => {
    expect(workersDeadline(9_000, 10_000)).toBe(10_000 + GRACE_MS);
    expect(workersDeadline(10_001, 10_000)).toBe(10_001);
    expect(workersDeadline(0, 10_000)).toBe(0);
    expect(workersDeadline(9_000, 0)).toBe(9_000);
  });

  it('of the database: it ends when that answers, and is not begun anew by one that answers as ever', () => {
    const outage = new Outage();
    outage.failed();
    outage.answered(10_000);
    expect([outage.endedMs, outage.leftToOthersUpTo(10_500)]).toEqual([10_000, 0]);
    outage.answered(11_000);
    expect(outage.endedMs).toBe(10_000);
  });

  it('of this node alone: the others do what fell due before it came', () => {
    const outage = new Outage();
    outage.started(5_000, { others: true });
    expect([outage.leftToOthersUpTo(7_000), outage.leftToOthersForMs(7_000)]).toEqual([5_000, 1_000]);
    expect([outage.leftToOthersUpTo(8_000), outage.leftToOthersForMs(8_000)]).toEqual([0, Number.POSITIVE_INFINITY]);
  });
});
