/** Task queues by name: set, not too long, not one of the system's own. */
import { enums, type temporal } from '../api.js';
import { exceeds, nulProblem } from './text-length.js';
import type { Problem } from './problem.js';

export type TaskQueue = temporal.api.taskqueue.v1.ITaskQueue;

const RESERVED_PREFIX = '/_sys/';

function nameProblem(name: string, lengthMax: number, reservedAllowed: boolean): Problem {
  if (exceeds(name, lengthMax)) return 'taskQueue length exceeds limit';
  if (!reservedAllowed && name.startsWith(RESERVED_PREFIX)) return `task queue name cannot start with reserved prefix ${RESERVED_PREFIX}`;
  return nulProblem('taskQueue', name);
}

export interface TaskQueueRule {
  readonly lengthMax: number;
  /** The name that an unnamed queue stands for; without one, a name is required. */
  readonly inherited?: string;
  /** For looking at a queue: names of its partitions are then allowed too. */
  readonly reservedAllowed?: boolean;
}

export function taskQueueProblem(
  queue: TaskQueue | null | undefined,
  { lengthMax, inherited = '', reservedAllowed = false }: TaskQueueRule,
): Problem {
  if (!queue) return inherited ? undefined : 'taskQueue is not set';
  const name = queue.name || inherited;
  if (!name) return 'missing task queue name';
  const problem = nameProblem(name, lengthMax, reservedAllowed);
  if (problem) return problem;
  if (queue.kind !== enums.TaskQueueKind.TASK_QUEUE_KIND_STICKY || !queue.normalName) return undefined;
  return nameProblem(queue.normalName, lengthMax, true);
}

/** The sticky queue that a worker asks for in its answer; without a name it asks for none. */
export const stickyQueueProblem = (queue: TaskQueue | null | undefined, lengthMax: number): Problem =>
  queue?.name ? taskQueueProblem(queue, { lengthMax, reservedAllowed: true }) : undefined;
