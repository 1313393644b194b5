/**
 * What a call means to a node that cannot do everything at once. What finishes work goes before what changes or reads it, and that before
 * what begins more of it. Calls that wait for somebody else (a task, an event, a worker's answer) cost memory, not time, and are counted apart.
 */

/** In the order in which they are served. */
export const LINES = ['finish', 'change', 'start'] as const;
export type Line = (typeof LINES)[number];

export interface CallKind {
  /** Where it waits for its turn; undefined: it needs none. */
  readonly line: Line | undefined;
  /** It may wait for long once it had its turn. */
  readonly waits: boolean;
  /** Its caller comes again when it is answered early, with what there is. */
  readonly sheddable: boolean;
  /** What it holds in memory at most of its lifetime, besides what its request is large. */
  readonly bytes: number;
}

const KiB = 1024;
const kind = (line: Line | undefined, more: Partial<CallKind> = {}): CallKind => ({
  line,
  waits: false,
  sheddable: false,
  bytes: 4 * KiB,
  ...more,
});

const POLL = kind(undefined, { waits: true, sheddable: true });
const READ = kind('change', { bytes: 512 * KiB });
const CHANGE = kind('change');
const FINISH = kind('finish');
export const START = kind('start');
/** Calls that say who is there, or that somebody goes: cheap, and everything else depends on them. */
const FREE = kind(undefined);
const ASK = kind('change', { waits: true });

const KINDS = new Map<string, CallKind>([
  ...['DescribeNamespace', 'ShutdownWorker', 'RecordWorkerHeartbeat'].map((method) => [method, FREE] as const),
  ...['PollWorkflowTaskQueue', 'PollActivityTaskQueue', 'PollNexusTaskQueue', 'PollWorkflowExecutionUpdate'].map(
    (method) => [method, POLL] as const,
  ),
  ...['StartWorkflowExecution', 'SignalWithStartWorkflowExecution', 'ResetWorkflowExecution', 'StartActivityExecution'].map(
    (method) => [method, START] as const,
  ),
  ['ExecuteMultiOperation', kind('start', { waits: true })],
  ['UpdateWorkflowExecution', ASK],
  ['QueryWorkflow', ASK],
  ['GetWorkflowExecutionHistory', READ],
  ['GetWorkflowExecutionHistoryReverse', READ],
]);

/** The kind of a call. A method that is not named above answers work when it is called so, reads when it lists, and changes something otherwise. */
export function kindOf(method: string, request: object): CallKind {
  if (method === 'GetWorkflowExecutionHistory' && (request as { waitNewEvent?: boolean }).waitNewEvent) return POLL;
  const known = KINDS.get(method);
  if (known) return known;
  const guessed = /^(Respond|RecordActivityTask)/.test(method) ? FINISH : /^(List|Scan)/.test(method) ? READ : CHANGE;
  KINDS.set(method, guessed);
  return guessed;
}
