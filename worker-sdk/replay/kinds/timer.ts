/** A durable timer: started -> fired, or cancelled. */
import type { HistoryEvent } from '../../definitions/api.js';
import { EventType } from '../events.js';
import { Machine, type MachineOwner } from '../machine.js';
import type { WorkflowCommand } from '../protocol.js';
import { CommandType, metadataOf } from './command.js';

type State = 'start queued' | 'started' | 'cancel queued' | 'fired' | 'cancelled';

export class TimerMachine extends Machine {
  #state: State = 'start queued';
  readonly seq: number;

  constructor(owner: MachineOwner, command: WorkflowCommand) {
    super(owner);
    const { seq, startToFireTimeout } = command.startTimer!;
    this.seq = seq!;
    owner.issue(this, {
      commandType: CommandType.COMMAND_TYPE_START_TIMER,
      startTimerCommandAttributes: { timerId: String(seq), startToFireTimeout },
      ...metadataOf(command),
    });
  }

  describe(): string {
    return `${this.#state === 'cancel queued' ? 'cancelled' : 'started'} timer ${this.seq}`;
  }

  /** The workflow no longer waits. It needs no answer: the code resolves its own promise. */
  cancel(command: WorkflowCommand): void {
    if (this.#state === 'start queued') {
      this.#state = 'cancelled';
      this.withdrawn = true;
      this.done = true;
    } else if (this.#state === 'started') {
      this.#state = 'cancel queued';
      this.owner.issue(this, {
        commandType: CommandType.COMMAND_TYPE_CANCEL_TIMER,
        cancelTimerCommandAttributes: { timerId: String(this.seq) },
        ...metadataOf(command),
      });
    }
  }

  commandRecorded(event: HistoryEvent): void {
    if (this.#state === 'start queued') {
      this.expect(event, EventType.EVENT_TYPE_TIMER_STARTED);
      const timerId = event.timerStartedEventAttributes?.timerId;
      if (timerId !== String(this.seq)) throw this.mismatch(event);
      this.#state = 'started';
    } else {
      this.expect(event, EventType.EVENT_TYPE_TIMER_CANCELED);
      this.#state = 'cancelled';
      this.done = true;
    }
  }

  override answered(event: HistoryEvent): void {
    this.expect(event, EventType.EVENT_TYPE_TIMER_FIRED);
    // A timer can fire while the cancellation is on its way only if the server says so; the code has stopped listening then.
    const listening = this.#state === 'started';
    this.#state = 'fired';
    this.done = true;
    if (listening) this.owner.pushJob({ fireTimer: { seq: this.seq } });
  }
}
