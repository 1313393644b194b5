/** Who decides how many tasks a worker holds, for each kind of task. */
import type { ResourceBasedSlotOptions, ResourceBasedTunerOptions } from './resource-slots.js';
import { ResourceBasedController, ResourceBasedSlots } from './resource-slots.js';
import type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  FixedSizeSlotSupplier,
  LocalActivitySlotInfo,
  SlotInfo,
  SlotReserveContext,
  Slots,
  WorkflowSlotInfo,
} from './slots.js';
import { CustomSlots, FixedSlots } from './slots.js';

type Controlled =
  | { tunerOptions: ResourceBasedTunerOptions; controller?: undefined }
  | { controller: ResourceBasedController; tunerOptions?: undefined };

/** Slots of one kind by what the machine has left. */
export type ResourceBasedSlotsForType = ResourceBasedSlotOptions & Controlled & { type: 'resource-based' };

/** Decides how many tasks of a kind a worker works on at once. */
export type SlotSupplier<SI extends SlotInfo> = ResourceBasedSlotsForType | FixedSizeSlotSupplier | CustomSlotSupplier<SI>;

/** A supplier for each kind of slot: `workflowTaskSlotSupplier`, `activityTaskSlotSupplier` and `localActivityTaskSlotSupplier`. */
export interface TunerHolder {
  workflowTaskSlotSupplier: SlotSupplier<WorkflowSlotInfo>;
  activityTaskSlotSupplier: SlotSupplier<ActivitySlotInfo>;
  localActivityTaskSlotSupplier: SlotSupplier<LocalActivitySlotInfo>;
}

interface ResourceBasedTunerSlotOptions {
  workflowTaskSlotOptions?: ResourceBasedSlotOptions;
  activityTaskSlotOptions?: ResourceBasedSlotOptions;
  localActivityTaskSlotOptions?: ResourceBasedSlotOptions;
}

/** All slots by what the machine has left. */
export interface ResourceBasedTuner extends ResourceBasedTunerSlotOptions {
  /** Targets that all kinds of slots share. */
  tunerOptions: ResourceBasedTunerOptions;
  controller?: undefined;
}

/** {@link ResourceBasedTuner} whose controller is shared with other workers. */
export interface ResourceBasedTunerWithController extends ResourceBasedTunerSlotOptions {
  /** Made by `ResourceBasedController.create`. */
  controller: ResourceBasedController;
  tunerOptions?: undefined;
}

/** Suppliers of slots for all kinds of tasks. */
export type WorkerTuner = ResourceBasedTuner | ResourceBasedTunerWithController | TunerHolder;

/** A tuner as suppliers, one controller for those that share targets. */
export function tunerSuppliers(tuner: WorkerTuner): TunerHolder {
  if ('workflowTaskSlotSupplier' in tuner) return tuner;
  const controller = tuner.controller ?? ResourceBasedController.create(tuner.tunerOptions);
  const supplier = (options: ResourceBasedSlotOptions | undefined) => ({ ...options, type: 'resource-based' as const, controller });
  return {
    workflowTaskSlotSupplier: supplier(tuner.workflowTaskSlotOptions),
    activityTaskSlotSupplier: supplier(tuner.activityTaskSlotOptions),
    localActivityTaskSlotSupplier: supplier(tuner.localActivityTaskSlotOptions),
  };
}

/** The slots that a supplier describes. */
export function makeSlots<SI extends SlotInfo>(supplier: SlotSupplier<SI>, context: Omit<SlotReserveContext, 'isSticky'>): Slots<SI> {
  if (supplier.type === 'custom') return new CustomSlots(supplier, context);
  if (supplier.type === 'fixed-size') return new FixedSlots(supplier.numSlots);
  const controller = supplier.controller ?? ResourceBasedController.create(supplier.tunerOptions);
  return new ResourceBasedSlots(controller, supplier, context.slotType === 'workflow');
}
