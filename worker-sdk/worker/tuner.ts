/** Who decides how many tasks a worker holds, for each kind of task. */
import type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  FixedSizeSlotSupplier,
  LocalActivitySlotInfo,
  SlotInfo,
  Slots,
  SlotReserveContext,
  WorkflowSlotInfo,
} from './slots.js';
import { CustomSlots, FixedSlots } from './slots.js';

export type SlotSupplier<SI extends SlotInfo> = FixedSizeSlotSupplier | CustomSlotSupplier<SI>;

/** A supplier for each kind of slot. */
export interface TunerHolder {
  workflowTaskSlotSupplier: SlotSupplier<WorkflowSlotInfo>;
  activityTaskSlotSupplier: SlotSupplier<ActivitySlotInfo>;
  localActivityTaskSlotSupplier: SlotSupplier<LocalActivitySlotInfo>;
}

export type WorkerTuner = TunerHolder;

/** The slots that a supplier describes. */
export function makeSlots<SI extends SlotInfo>(supplier: SlotSupplier<SI>, context: Omit<SlotReserveContext, 'isSticky'>): Slots<SI> {
  return supplier.type === 'custom' ? new CustomSlots(supplier, context) : new FixedSlots(supplier.numSlots);
}
