/** Activity tasks for a scripted service. */
import type { FakeCall } from '../../helpers/fake-workflow-service.js';

/** A value as a json/plain payload. */
export const json = (value: unknown) => ({ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) });

/** The value of a json/plain payload. */
export const text = (payload: { data: Uint8Array }) => JSON.parse(Buffer.from(payload.data).toString());

let tokens = 0;

/** A task as a poll answers with it. */
export function activityTask(type: string, args: unknown[] = [], more: object = {}): object {
  tokens++;
  return {
    taskToken: Buffer.from(`token-${tokens}`),
    workflowNamespace: 'default',
    workflowType: { name: 'workflow' },
    workflowExecution: { workflowId: 'w', runId: 'r' },
    activityType: { name: type },
    activityId: String(tokens),
    input: { payloads: args.map(json) },
    attempt: 1,
    startToCloseTimeout: { seconds: 60 },
    scheduleToCloseTimeout: { seconds: 0 },
    ...more,
  };
}

/** Hands tasks to polls in the order in which either came. */
export class TaskQueue {
  private readonly tasks: object[] = [];
  private readonly waiting: ((task: object) => void)[] = [];

  constructor() {
    tokens = 0;
  }

  /** Polls that wait. */
  get polls(): number {
    return this.waiting.length;
  }

  push(task: object): void {
    const poll = this.waiting.shift();
    if (poll) poll(task);
    else this.tasks.push(task);
  }

  /** Answers all polls that wait with nothing. */
  endPolls(): void {
    for (const poll of this.waiting.splice(0)) poll({});
  }

  readonly poll = (_request: unknown, call: FakeCall): object | Promise<object> => {
    const task = this.tasks.shift();
    if (task) return task;
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      call.gone.then(() => {
        const index = this.waiting.indexOf(resolve);
        if (index >= 0) this.waiting.splice(index, 1);
        resolve({});
      });
    });
  };
}
