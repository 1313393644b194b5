/** The activities of the end-to-end suite, made from whichever SDK's activity package runs them. */

/** What the activities use of an activity package. */
export interface ActivityPackage {
  readonly ApplicationFailure: { nonRetryable(message: string, type: string): Error };
  heartbeat(details?: unknown): void;
  sleep(ms: number): Promise<void>;
  activityInfo(): { readonly heartbeatDetails: unknown; readonly attempt: number };
}

export function makeActivities({ ApplicationFailure, activityInfo, heartbeat, sleep }: ActivityPackage) {
  const calls = new Map<string, number>();
  return {
    async echo(value: string): Promise<string> {
      return value;
    },
    /** Fails so often, then answers with the number of calls. */
    async failTimes(key: string, times: number): Promise<number> {
      const call = (calls.get(key) ?? 0) + 1;
      calls.set(key, call);
      if (call <= times) throw new Error(`call ${call} fails`);
      return call;
    },
    async failFinally(message: string): Promise<string> {
      throw ApplicationFailure.nonRetryable(message, 'Final');
    },
    async heartbeatUntilCancelled(): Promise<string> {
      for (;;) {
        heartbeat();
        await sleep(50);
      }
    },
    /** Fails at every other step, and goes on where its last heartbeat was. */
    async progress(_key: string): Promise<number[]> {
      const done = (activityInfo().heartbeatDetails as number[] | undefined) ?? [];
      const now = [...done, activityInfo().attempt];
      heartbeat(now);
      if (now.length < 3) throw new Error('again');
      return now;
    },
    async slow(): Promise<void> {
      await sleep(60_000);
    },
  };
}

export type Activities = ReturnType<typeof makeActivities>;
