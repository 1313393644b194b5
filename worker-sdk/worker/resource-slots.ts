/** Slots by what the machine has left: handed out while memory and CPU are below their targets. */
import type { Duration } from '../definitions/duration.js';
import { msOptionalToNumber } from '../definitions/duration.js';
import { FreedSignal } from './freed-signal.js';
import { MachineUsage, type ResourceUsage } from './machine-usage.js';
import type { Slot, SlotInfo, Slots } from './slots.js';

/** Shares of the machine's memory and CPU, 0 to 1, above which no more slots are handed out. */
export interface ResourceBasedTunerOptions {
  /** 0.8 is a good start: what is used above it is for what runs already. */
  targetMemoryUsage: number;
  /** 0.9 is a good start. */
  targetCpuUsage: number;
}

/** Bounds of one kind of slot. */
export interface ResourceBasedSlotOptions {
  /** Handed out whatever the machine says. Default 5 for workflow tasks, 1 for activities. */
  minimumSlots?: number;
  /** Default 1000 for workflow tasks, 2000 for activities. */
  maximumSlots?: number;
  /** Time between two slots, so that the effect of one shows before the next. Default 10 ms for workflow tasks, 50 ms for activities. */
  rampThrottle?: Duration;
}

const SAMPLE_MS = 100;

/** Watches the machine; may be shared by several tuners. */
export class ResourceBasedController {
  private usage: ResourceUsage = { memory: 0, cpu: 0 };
  private sampledAtMs = Number.NEGATIVE_INFINITY;
  private readonly machine = new MachineUsage();

  private constructor(private readonly options: ResourceBasedTunerOptions) {}

  /** Makes a controller with targets. */
  static create(options: ResourceBasedTunerOptions): ResourceBasedController {
    for (const name of ['targetMemoryUsage', 'targetCpuUsage'] as const) {
      if (!(options[name] > 0 && options[name] <= 1))
        throw new TypeError(`Invalid '${name}': expected a share above 0 and up to 1, got ${options[name]}`);
    }
    return new ResourceBasedController(options);
  }

  /** @internal Whether there is room for another slot. */
  hasRoom(): boolean {
    const now = performance.now();
    if (now - this.sampledAtMs >= SAMPLE_MS) {
      this.sampledAtMs = now;
      this.usage = this.machine.measure();
    }
    return this.usage.memory <= this.options.targetMemoryUsage && this.usage.cpu <= this.options.targetCpuUsage;
  }
}

/** Slots of one kind under a controller. */
export class ResourceBasedSlots<SI extends SlotInfo> implements Slots<SI> {
  private held = 0;
  private busy = 0;
  private lastAtMs = Number.NEGATIVE_INFINITY;
  private readonly freed = new FreedSignal();
  private readonly minimum: number;
  private readonly maximum: number;
  private readonly rampMs: number;

  constructor(
    private readonly controller: Pick<ResourceBasedController, 'hasRoom'>,
    options: ResourceBasedSlotOptions,
    forWorkflows: boolean,
  ) {
    this.minimum = options.minimumSlots ?? (forWorkflows ? 5 : 1);
    this.maximum = options.maximumSlots ?? (forWorkflows ? 1000 : 2000);
    this.rampMs = msOptionalToNumber(options.rampThrottle) ?? (forWorkflows ? 10 : 50);
  }

  get used(): number {
    return this.busy;
  }

  async reserve(isSticky: boolean, signal: AbortSignal): Promise<Slot<SI> | undefined> {
    while (!signal.aborted) {
      const slot = this.tryReserve(isSticky);
      if (slot) return slot;
      // Room may come without any slot being freed: look again soon.
      await this.freed.wait(signal, this.held < this.maximum ? Math.max(this.rampMs, SAMPLE_MS / 4) : undefined);
    }
    return undefined;
  }

  tryReserve(_isSticky: boolean): Slot<SI> | undefined {
    if (!this.mayHandOut()) return undefined;
    this.held++;
    this.lastAtMs = performance.now();
    let used = false;
    let released = false;
    return {
      use: () => {
        used = true;
        this.busy++;
      },
      release: () => {
        if (released) return;
        released = true;
        if (used) this.busy--;
        this.held--;
        this.freed.tell();
      },
    };
  }

  private mayHandOut(): boolean {
    if (this.held < this.minimum) return true;
    return this.held < this.maximum && performance.now() - this.lastAtMs >= this.rampMs && this.controller.hasRoom();
  }
}
