/** Which local activities of a run are to be started or cancelled, run at present, or are known from markers read ahead. */
import { emptyCancellation, type LocalActivityMachine, type LocalActivityOutcome } from './kinds/local-activity.js';

export interface LocalActivityRequests {
  start: LocalActivityMachine[];
  /** Numbers of running ones to be cancelled. */
  cancel: number[];
}

export class LocalActivityBook {
  #toStart: LocalActivityMachine[] = [];
  #toCancel: number[] = [];
  readonly #running = new Set<number>();
  #fromMarkers: { seq: number; outcome: LocalActivityOutcome }[] = [];
  #closed = false;

  request(machine: LocalActivityMachine): void {
    this.#toStart.push(machine);
  }

  /** Answers from a marker that was read ahead, or takes it out of the queue, or has the running one cancelled. */
  cancel(machine: LocalActivityMachine): void {
    const known = this.#fromMarkers.findIndex(({ seq }) => seq === machine.seq);
    if (known >= 0 && machine.awaitsMarker) {
      machine.resolveByMarker(this.#fromMarkers.splice(known, 1)[0]!.outcome);
      return;
    }
    const queued = this.#toStart.indexOf(machine);
    if (queued >= 0) {
      this.#toStart.splice(queued, 1);
      machine.executed({ ...emptyCancellation(machine.schedule.attempt ?? 1), originalScheduleTimeMs: machine.originalScheduleTimeMs }, 0);
      return;
    }
    this.#toCancel.push(machine.seq);
  }

  forget(seq: number): void {
    this.#toStart = this.#toStart.filter((machine) => machine.seq !== seq);
    this.#running.delete(seq);
  }

  addMarker(seq: number, outcome: LocalActivityOutcome): void {
    this.#fromMarkers.push({ seq, outcome });
  }

  /** Resolves what the markers say, in their order, up to the first one whose activity the code has not asked for yet. */
  applyMarkers(find: (seq: number) => LocalActivityMachine | undefined): void {
    for (let next = this.#fromMarkers[0]; next; next = this.#fromMarkers[0]) {
      const machine = find(next.seq);
      if (!machine) return;
      this.#fromMarkers.shift();
      machine.resolveByMarker(next.outcome);
    }
  }

  /** Takes the requests; the started ones count as running. */
  take(): LocalActivityRequests {
    if (this.#closed) {
      const cancel = [...this.#running];
      this.#running.clear();
      return { start: [], cancel };
    }
    const requests = { start: this.#toStart, cancel: this.#toCancel };
    this.#toStart = [];
    this.#toCancel = [];
    for (const { seq } of requests.start) this.#running.add(seq);
    return requests;
  }

  /** How many must end before the workflow task may. */
  get outstanding(): number {
    return this.#closed ? 0 : this.#running.size + this.#toStart.length;
  }

  /** The run closes: nothing of this matters any more. */
  close(): void {
    this.#closed = true;
    this.#toStart = [];
  }
}
