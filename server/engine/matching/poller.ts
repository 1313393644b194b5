/** A worker's long poll that waits for a task. */
import type { temporal } from '../../core/api.js';
import type { QueueName } from '../../storage/tasks.js';
import type { EncodedResponse } from '../call.js';

export interface PollerInfo {
  readonly identity: string;
  /** The worker instance, where the SDK names one. */
  readonly workerInstanceKey: string;
  /** What it says of its build, for the events of the tasks that it takes. */
  readonly workerVersion: temporal.api.common.v1.IWorkerVersionStamp | undefined;
  /** Tasks a second that it wants its queue to hand out, to all workers together; undefined: as many as there are. */
  readonly queuePerSecond?: number | undefined;
  /** As it sent them, for whoever asks who polls the queue. */
  readonly workerVersionCapabilities?: temporal.api.common.v1.IWorkerVersionCapabilities | undefined;
  readonly deploymentOptions?: temporal.api.deployment.v1.IWorkerDeploymentOptions | undefined;
}

/** A poll that a task was meant for, whose commit may or may not have been carried out. */
export interface HeldPoll {
  readonly queue: QueueName;
  readonly poller: Poller;
  /** The activity; 0 = the workflow task. */
  readonly scheduledEventId: number;
  /** Of the hand-out. */
  readonly requestId: string;
}

export class Poller {
  private settle: ((answer: EncodedResponse | undefined) => void) | undefined;
  readonly answer: Promise<EncodedResponse | undefined>;

  /** A task is on its way to it: its time may be up, but it is not sent away empty-handed. */
  reserved = false;
  /** Its time was up while it was reserved. */
  overdue = false;
  /** How long its task lay in the backlog, in milliseconds; undefined when it waited for the task and not the task for it. */
  backlogAgeMs: number | undefined;
  /** Gives back what its task took from the rate limit of the queue. */
  giveBack: (() => void) | undefined;

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
