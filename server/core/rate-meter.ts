/** How often something happens, per second, over the last half minute: counted in slices of five seconds. */

const SLICE_MS = 5_000;
const SLICES = 7;
/** How far a rate looks back. */
export const METER_WINDOW_MS = SLICE_MS * (SLICES - 1);

export class RateMeter {
  private readonly counts = new Array<number>(SLICES).fill(0);
  private sliceStartMs: number;
  private at = 0;
  private total = 0;

  constructor(private readonly startMs: number) {
    this.sliceStartMs = startMs;
  }

  add(nowMs: number): void {
    this.advance(nowMs);
    this.counts[this.at]! += 1;
    this.total += 1;
  }

  /** Per second; a meter that is younger than the window counts over its own age, or over `atLeastMs` when it is younger than that. */
  perSecond(nowMs: number, atLeastMs = 0): number {
    this.advance(nowMs);
    const overMs = Math.max(atLeastMs, Math.min(nowMs - this.sliceStartMs + METER_WINDOW_MS, nowMs - this.startMs));
    return overMs > 0 ? (this.total * 1_000) / overMs : 0;
  }

  /** Whether nothing has happened for the whole window. */
  idle(nowMs: number): boolean {
    this.advance(nowMs);
    return this.total === 0;
  }

  private advance(nowMs: number): void {
    if (nowMs - this.sliceStartMs < SLICE_MS) return;
    const passed = Math.floor((nowMs - this.sliceStartMs) / SLICE_MS);
    for (let i = 0; i < Math.min(passed, SLICES); i++) {
      this.at = (this.at + 1) % SLICES;
      this.total -= this.counts[this.at]!;
      this.counts[this.at] = 0;
    }
    this.sliceStartMs += passed * SLICE_MS;
  }
}
