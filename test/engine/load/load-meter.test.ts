/** When a node counts as busy, and when it takes nothing on. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_LOAD_LIMITS } from '../../../server/engine/load/load-limits.js';
import { LoadClock, LoadMeter, type Sample } from '../../../server/engine/load/load-meter.js';

const calm: Sample = { elapsedMs: 100, lateMs: 1, utilization: 0.5, machine: 0.5, commitWaitMs: 5, tasksReady: 0, memoryBytes: 100 };
const meter = () => new LoadMeter({ ...DEFAULT_LOAD_LIMITS, memoryBytesMax: 1_000 });
const looks = (load: LoadMeter, times: number, sample: Partial<Sample>) => {
  for (let i = 0; i < times; i++) load.take({ ...calm, ...sample });
  return load.state;
};

describe('load meter', () => {
  it('one late moment is nothing, many are', () => {
    const load = meter();
    expect(looks(load, 1, { lateMs: 1_000 }).busy).toBe(false);
    expect(looks(load, 5, { lateMs: 1_000 }).busy).toBe(true);
    expect(looks(load, 20, {}).busy).toBe(false);
  });

  it('commits that queue up make it busy at once', () => {
    expect(looks(meter(), 1, { commitWaitMs: 501 }).busy).toBe(true);
  });

  it('tasks that wait for workers hold nothing back while the process has time', () => {
    const load = meter();
    load.taskWaited(60_000);
    expect(looks(load, 1, {}).busy).toBe(false);
  });

  it('tasks that wait while the process has no time left do', () => {
    const load = meter();
    looks(load, 30, { utilization: 1 });
    load.taskWaited(400);
    load.taskWaited(1_000);
    expect(looks(load, 1, { utilization: 1 })).toMatchObject({ busy: true, taskWaitMs: 700 });
    expect(looks(load, 10, { utilization: 1 }).busy).toBe(true);
    expect(looks(load, 1, { utilization: 1 })).toMatchObject({ busy: false, taskWaitMs: 0 });
  });

  it('a line of ready tasks that grows is seen before those at its end are served', () => {
    const load = meter();
    looks(load, 30, { utilization: 1 });
    for (let i = 0; i < 50; i++) load.taskWaited(0);
    // 50 went out in a tenth of a second, so the last of 200 will wait for four
    expect(looks(load, 1, { utilization: 1, tasksReady: 200 })).toMatchObject({ behind: true, taskWaitMs: 400 });
  });

  it('a machine without time left counts like a process without', () => {
    const load = meter();
    looks(load, 30, { machine: 1 });
    load.taskWaited(1_000);
    expect(looks(load, 1, { machine: 1 }).busy).toBe(true);
  });

  it('memory counts as short until it is clearly below the limit', () => {
    const load = meter();
    expect(looks(load, 1, { memoryBytes: 1_001 }).critical).toBe(true);
    expect(looks(load, 1, { memoryBytes: 950 }).critical).toBe(true);
    expect(looks(load, 1, { memoryBytes: 899 }).critical).toBe(false);
    expect(looks(load, 1, { memoryBytes: 950 }).critical).toBe(false);
  });
});

describe('the clock of the load', () => {
  const watched = () => {
    vi.useFakeTimers();
    let samples = 0;
    const clock = new LoadClock(() => ({ commitWaitMs: 0, tasksReady: 0 }), () => samples++);
    return { clock, samples: () => samples };
  };
  afterEach(() => vi.useRealTimers());

  it('runs while calls come, and stops when none has come for a while', () => {
    const { clock, samples } = watched();
    clock.touch(false);
    vi.advanceTimersByTime(60_000);
    expect(samples()).toBe(21);
  });

  it('is not started by the polls of workers with nothing to do, but by a flood of them', () => {
    const { clock, samples } = watched();
    for (let i = 0; i < 49; i++) clock.touch(true);
    vi.advanceTimersByTime(1_000);
    expect(samples()).toBe(0);
    clock.touch(true);
    vi.advanceTimersByTime(1_000);
    expect(samples()).toBe(10);
  });
});
