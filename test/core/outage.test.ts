/** What waits after an outage, and for how long. */
import { describe, expect, it } from 'vitest';
import { Outage } from '../../server/loops/outage.js';

describe('after an outage', () => {
  it('lets what fell due during it wait for a moment, and nothing that falls due later', () => {
    const outage = new Outage();
    expect(outage.waitingUpTo(1_000)).toBe(0);
    outage.failed();
    outage.answered(10_000);
    expect(outage.waitingUpTo(10_500)).toBe(10_000);
    expect(outage.graceLeftMs(10_500)).toBe(2_500);
    expect(outage.waitingUpTo(13_000)).toBe(0);
    expect(outage.graceLeftMs(13_000)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is not begun anew by a database that answers as ever', () => {
    const outage = new Outage();
    outage.started(5_000);
    outage.answered(6_000);
    expect(outage.waitingUpTo(7_000)).toBe(5_000);
    expect(outage.waitingUpTo(8_000)).toBe(0);
  });
});
