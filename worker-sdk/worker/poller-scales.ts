/**
 * How many polls a worker keeps open. A few to begin with: more come with the work, so that an idle worker costs the server little.
 *
 * A poll is also a credit: a task that is made while no poll waits has to be stored and fetched, which costs more than the hand-out. Where
 * calls share one stream a poll is a few bytes, so there may be one for each slot. Elsewhere each is an HTTP/2 stream of its own, of which
 * proxies allow about a hundred on a connection.
 */
import { count } from './option-count.js';
import type { PollerScale } from './poller.js';
import type { PollerBehavior, WorkerOptions } from './worker-options.js';

const POLLS = 50;
/** Share of the normal queue in the workflow polls: runs begin there once, and go on at the sticky one. */
const NORMAL_SHARE = 0.2;
/** With a poll for each slot: as many runs as come may begin at once, and half of the slots stay for those that go on. */
const NORMAL_SHARE_STREAMED = 0.5;

/** @param slots How many there are, if that is a fixed number. */
export function activityScale(options: WorkerOptions, slots: number | undefined): PollerScale {
  const scale = scaleOf(options.activityTaskPollerBehavior, count(options, 'maxConcurrentActivityTaskPolls', POLLS));
  const asked = options.activityTaskPollerBehavior ?? options.maxConcurrentActivityTaskPolls;
  return asked === undefined && slots !== undefined ? { ...scale, streamed: slots } : scale;
}

/** Workflow polls are shared out between the normal and the sticky queue. */
export function workflowScales(
  options: WorkerOptions,
  cached: boolean,
  slots: number | undefined,
): { workflowPolls: PollerScale; stickyPolls: PollerScale | undefined } {
  const all = scaleOf(options.workflowTaskPollerBehavior, count(options, 'maxConcurrentWorkflowTaskPolls', POLLS));
  const asked = options.workflowTaskPollerBehavior ?? options.maxConcurrentWorkflowTaskPolls;
  const bySlots = asked === undefined && slots !== undefined;
  if (!cached) return { workflowPolls: bySlots ? { ...all, streamed: slots } : all, stickyPolls: undefined };
  const ratio = options.nonStickyToStickyPollRatio ?? NORMAL_SHARE;
  if (!(ratio > 0 && ratio < 1))
    throw new TypeError(`Invalid 'nonStickyToStickyPollRatio': expected a number between 0 and 1, got ${ratio}`);
  if (all.maximum < 2) throw new TypeError("Invalid 'maxConcurrentWorkflowTaskPolls': expected at least 2 when workflows are cached");
  const { autoscaling } = all;
  const one = autoscaling ? { minimum: all.minimum, initial: all.initial, autoscaling } : { minimum: 1, initial: 1 };
  // Each of the two queues finds its own number.
  if (autoscaling) return { workflowPolls: { ...all }, stickyPolls: { ...all } };
  const normal = Math.max(1, Math.floor(all.maximum * ratio));
  const sticky = all.maximum - normal;
  if (!bySlots)
    return { workflowPolls: { ...one, maximum: normal, streamed: normal }, stickyPolls: { ...one, maximum: sticky, streamed: sticky } };
  const normalStreamed = Math.max(1, Math.floor(slots * (options.nonStickyToStickyPollRatio ?? NORMAL_SHARE_STREAMED)));
  return {
    workflowPolls: { ...one, maximum: normal, streamed: normalStreamed },
    stickyPolls: { ...one, maximum: sticky, streamed: Math.max(1, slots - normalStreamed) },
  };
}

function scaleOf(behavior: PollerBehavior | undefined, maximum: number): PollerScale {
  if (behavior?.type === 'autoscaling') {
    const { minimum = 1, initial = 5 } = behavior;
    const most = behavior.maximum ?? 100;
    if (minimum > most) throw new TypeError(`Invalid poller behavior: expected minimum <= maximum, got ${minimum} > ${most}`);
    return { minimum, initial: Math.min(Math.max(initial, minimum), most), maximum: most, streamed: most, autoscaling: true };
  }
  const most = behavior?.maximum ?? maximum;
  return { minimum: Math.min(2, most), initial: Math.min(2, most), maximum: most, streamed: most };
}
