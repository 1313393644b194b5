/** Slots: how many tasks of a kind a worker holds at once. A poll needs a free slot before it asks for a task. */
import type { WorkerDeploymentVersion } from '../definitions/versioning.js';
import { AbortWatch } from '../transport/abort-watch.js';

/** A workflow task that a slot is used for: `workflowType`, and whether it came from the worker's sticky queue: `isSticky`. */
export interface WorkflowSlotInfo {
  type: 'workflow';
  workflowType: string;
  isSticky: boolean;
}
/** The activity that a slot is used for: its `activityType`. */
export interface ActivitySlotInfo {
  type: 'activity';
  activityType: string;
}
/** The local activity that a slot is used for: its `activityType`. */
export interface LocalActivitySlotInfo {
  type: 'local-activity';
  activityType: string;
}
/** What a slot is used for. */
export type SlotInfo = WorkflowSlotInfo | ActivitySlotInfo | LocalActivitySlotInfo;

/** A slot that is held. A supplier may put its own data on it. */
// biome-ignore lint/suspicious/noEmptyInterface: a supplier's own data.
export interface SlotPermit {}

/** A slot of a `slotType` that the worker `workerIdentity` of a `taskQueue` asks for. */
export interface SlotReserveContext {
  slotType: SlotInfo['type'];
  taskQueue: string;
  workerIdentity: string;
  /** As in its options; by default a hash. */
  workerBuildId: string;
  /** Absent for a worker without one. */
  workerDeploymentVersion?: WorkerDeploymentVersion;
  /** Whether the slot is for a poll of the worker's sticky queue. */
  isSticky: boolean;
}

/** A slot that is about to be used. */
export interface SlotMarkUsedContext<SI extends SlotInfo> {
  /** The task that came. */
  slotInfo: SI;
  /** As it was reserved. */
  permit: SlotPermit;
}

/** A slot that is given back. */
export interface SlotReleaseContext<SI extends SlotInfo> {
  /** Absent when the slot was never used. */
  slotInfo?: SI;
  /** As it was reserved. */
  permit: SlotPermit;
}

/** Hands out slots by rules of its own. */
export interface CustomSlotSupplier<SI extends SlotInfo> {
  type: 'custom';
  /** Waits for a slot. Must reject when the signal aborts. */
  reserveSlot(ctx: SlotReserveContext, abortSignal: AbortSignal): Promise<SlotPermit>;
  /** A slot at once, or null; for eager activities. */
  tryReserveSlot(ctx: SlotReserveContext): SlotPermit | null;
  /** A task came for a slot that was reserved. Not called for one whose poll came back empty. */
  markSlotUsed(ctx: SlotMarkUsedContext<SI>): void;
  /** A slot is not needed any more. Called once for each permit, used or not. */
  releaseSlot(ctx: SlotReleaseContext<SI>): void;
}

/** A fixed number of slots. */
export interface FixedSizeSlotSupplier {
  type: 'fixed-size';
  /** 0 takes no tasks of the kind. */
  numSlots: number;
}

/** A held slot with what has to happen at its end. */
export interface Slot<SI extends SlotInfo> {
  /** Says what it is used for. */
  use(info: SI): void;
  release(): void;
}

/** The slots of one kind. */
export interface Slots<SI extends SlotInfo> {
  /** A free slot, at once if there is one; undefined when the signal aborts first. */
  reserve(isSticky: boolean, signal: AbortSignal): Slot<SI> | undefined | Promise<Slot<SI> | undefined>;
  /** A free slot, if there is one now. */
  tryReserve(isSticky: boolean): Slot<SI> | undefined;
  /** Slots that hold a task. */
  readonly used: number;
  /** Slots that hold none; undefined where no number limits them. */
  readonly available?: number;
}

/** Who waits for a slot. */
interface Waiter<SI extends SlotInfo> {
  signal: AbortSignal;
  resolve(slot: Slot<SI> | undefined): void;
}

/** Slots of a fixed number; waiters are served in order. */
export class FixedSlots<SI extends SlotInfo> implements Slots<SI> {
  private held = 0;
  private busy = 0;
  private readonly waiters = new Set<Waiter<SI>>();
  private readonly aborts = new AbortWatch<Waiter<SI>>((waiter) => {
    this.waiters.delete(waiter);
    waiter.resolve(undefined);
  });

  constructor(private readonly size: number) {}

  get used(): number {
    return this.busy;
  }

  get available(): number {
    return this.size - this.busy;
  }

  reserve(isSticky: boolean, signal: AbortSignal): Slot<SI> | undefined | Promise<Slot<SI> | undefined> {
    if (signal.aborted) return undefined;
    return (
      this.tryReserve(isSticky) ??
      new Promise((resolve) => {
        const waiter = { signal, resolve };
        this.waiters.add(waiter);
        this.aborts.add(signal, waiter);
      })
    );
  }

  tryReserve(_isSticky: boolean): Slot<SI> | undefined {
    if (this.held >= this.size) return undefined;
    this.held++;
    return this.slot();
  }

  private slot(): Slot<SI> {
    let state: 'reserved' | 'used' | 'released' = 'reserved';
    return {
      use: () => {
        if (state !== 'reserved') return;
        state = 'used';
        this.busy++;
      },
      release: () => {
        if (state === 'released') return;
        if (state === 'used') this.busy--;
        state = 'released';
        this.passOn();
      },
    };
  }

  /** A slot is free: it goes to the first who waits. */
  private passOn(): void {
    for (const waiter of this.waiters) {
      this.waiters.delete(waiter);
      this.aborts.remove(waiter.signal, waiter);
      waiter.resolve(this.slot());
      return;
    }
    this.held--;
  }
}

/** Slots by a user's rules. */
export class CustomSlots<SI extends SlotInfo> implements Slots<SI> {
  private busy = 0;

  constructor(
    private readonly supplier: CustomSlotSupplier<SI>,
    private readonly context: Omit<SlotReserveContext, 'isSticky'>,
  ) {}

  get used(): number {
    return this.busy;
  }

  /** Does not wait for a supplier that misses the abort: a permit that comes after it is given back. */
  reserve(isSticky: boolean, signal: AbortSignal): Promise<Slot<SI> | undefined> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => resolve(undefined);
      if (signal.aborted) return aborted();
      signal.addEventListener('abort', aborted, { once: true });
      const reserved = (async () => this.supplier.reserveSlot({ ...this.context, isSticky }, signal))();
      reserved
        .then((permit) => {
          const slot = this.slot(permit);
          if (signal.aborted) slot.release();
          else resolve(slot);
        })
        .catch((err: unknown) => (signal.aborted ? undefined : reject(err)))
        .finally(() => signal.removeEventListener('abort', aborted));
    });
  }

  tryReserve(isSticky: boolean): Slot<SI> | undefined {
    const permit = this.supplier.tryReserveSlot({ ...this.context, isSticky });
    return permit === null ? undefined : this.slot(permit);
  }

  private slot(permit: SlotPermit): Slot<SI> {
    let slotInfo: SI | undefined;
    let released = false;
    return {
      use: (info) => {
        slotInfo = info;
        this.busy++;
        this.supplier.markSlotUsed({ slotInfo: info, permit });
      },
      release: () => {
        if (released) return;
        released = true;
        if (slotInfo) this.busy--;
        this.supplier.releaseSlot({ slotInfo, permit });
      },
    };
  }
}
