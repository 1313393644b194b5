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
      await asleep(call, (wake) => time.at(after(duration), wake));
      return {};
    },
    async SleepUntil({ timestamp }: SleepUntilRequest, call: Call) {
      await asleep(call, (wake) => time.at(fromTimestamp(timestamp), wake));
      return {};
    },
    async UnlockTimeSkippingWithSleep({ duration }: SleepRequest, call: Call) {
      await asleep(call, (wake) => time.unlockedAt(after(duration), wake));
      return {};
    },
    async GetCurrentTime() {
      return { time: toTimestamp(time.now()) };
    },
  };
}

/** Resolves when it is woken; rejects when the caller goes away before. */
function asleep(call: Call, sleep: (wake: () => void) => () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const takeBack = sleep(resolve);
    call.onCancelled(() => {
      takeBack();
      reject(new ServiceError('CANCELLED', 'the caller went away'));
    });
  });
}
