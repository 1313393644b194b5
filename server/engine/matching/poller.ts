/** A worker's long poll that waits for a task. */
import type { temporal } from '../../core/api.js';
import type { EncodedResponse } from '../call.js';

export interface PollerInfo {
  readonly identity: string;
  /** The worker instance, where the SDK names one. */
  readonly workerInstanceKey: string;
  /** What it says of its build, for the events of the tasks that it takes. */
  readonly workerVersion: temporal.api.common.v1.IWorkerVersionStamp | undefined;
}

export class Poller {
  private settle: ((answer: EncodedResponse | undefined) => void) | undefined;
  readonly answer: Promise<EncodedResponse | undefined>;

  /** A task is on its way to it: its time may be up, but it is not sent away empty-handed. */
  reserved = false;
  /** Its time was up while it was reserved. */
  overdue = false;

  constructor(readonly info: PollerInfo) {
    this.answer = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** False once it was answered, gave up or its caller went away. */
  get waiting(): boolean {
    return this.settle !== undefined;
  }

  /** Ends the poll: with a task, or with undefined for the empty answer. */
  end(answer: EncodedResponse | undefined): void {
    const settle = this.settle;
    this.settle = undefined;
    settle?.(answer);
  }
}
