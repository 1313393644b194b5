/** The methods of temporal.api.testservice.v1.TestService: callers of a server in test mode hold the time, let it go, and wait for it. */
import { type Duration, fromDuration, fromTimestamp, type temporal, toTimestamp } from '../core/api.js';
import { ServiceError } from '../core/errors.js';
import type { Call, Handlers } from './call.js';
import type { TimeSkipping } from './time-skipping.js';

type SleepRequest = temporal.api.testservice.v1.ISleepRequest;
type SleepUntilRequest = temporal.api.testservice.v1.ISleepUntilRequest;

export function testHandlers(time: TimeSkipping): Handlers {
  const after = (duration: Duration | null | undefined): number => time.now() + Math.max(0, fromDuration(duration));
  return {
    async LockTimeSkipping() {
      time.lock();
      return {};
    },
    async UnlockTimeSkipping() {
      time.unlock();
      return {};
    },
    async Sleep({ duration }: SleepRequest, call: Call) {
      await until(time, after(duration), call);
      return {};
    },
    async SleepUntil({ timestamp }: SleepUntilRequest, call: Call) {
      await until(time, fromTimestamp(timestamp), call);
      return {};
    },
    async UnlockTimeSkippingWithSleep({ duration }: SleepRequest, call: Call) {
      time.unlock();
      // locked in the moment the sleep ends: whatever comes after it waits for the caller
      await until(time, after(duration), call, () => time.lock());
      return {};
    },
    async GetCurrentTime() {
      return { time: toTimestamp(time.now()) };
    },
  };
}

/** Resolves when the time has come; `over` is called in that moment, or when the caller goes away before. */
function until(time: TimeSkipping, atMs: number, call: Call, over: () => void = () => {}): Promise<void> {
  return new Promise((resolve, reject) => {
    let waits = true;
    const end = (settle: () => void) => () => {
      if (!waits) return;
      waits = false;
      takeBack();
      over();
      settle();
    };
    const takeBack = time.at(atMs, end(resolve));
    call.onCancelled(end(() => reject(new ServiceError('CANCELLED', 'the caller went away'))));
  });
}
