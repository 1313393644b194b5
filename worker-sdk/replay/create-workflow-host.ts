/** Puts the deterministic half of the SDK together: bundle, sandbox, cache of runs. See `workflow-host.ts` for what it does. */
import { getHeapStatistics } from 'node:v8';
import type { History } from '../definitions/api.js';
import { toNumber } from '../definitions/api.js';
import type { LogLevel } from '../definitions/logger.js';
import { bundleThroughCache } from '../sandbox/bundle-cache.js';
import { type LoadedBundle, loadBundle } from '../sandbox/load-bundle.js';
import { Sandbox } from '../sandbox/sandbox.js';
import { LOGGER_SINK } from '../workflow/logs.js';
import { idOf } from './events.js';
import { ManagedRun, type RunEnvironment } from './managed-run.js';
import { PagedHistory } from './paged-history.js';
import { explainMismatch, replayOne } from './replay-history.js';
import { RunCache } from './run-cache.js';
import { SinkDispatcher } from './sink-dispatcher.js';
import type { FetchHistory, ReplayResult, WorkflowHost, WorkflowHostOptions, WorkflowTask, WorkflowTaskOutcome } from './workflow-host.js';

const DEFAULT_MAX_CACHED_RUNS = 1000;
const DEFAULT_ACTIVATION_TIMEOUT_MS = 5000;
const HEAP_FRACTION = 0.75;
/** Up to how many events a run is gone through again to say where its code left history. */
const EXPLAINED_EVENTS = 10_000;

/** Bundles (unless a bundle is given) and loads the workflows. Rejects when their code cannot be bundled or loaded. */
export async function createWorkflowHost(options: WorkflowHostOptions): Promise<WorkflowHost> {
  const started = performance.now();
  const { patchActivationCallback, showStackTraceSources } = options;
  const sandbox = new Sandbox(await bundleFor(options), { patchActivationCallback, showStackTraceSources, isLogged: levelsOf(options) });
  options.logger.debug('Workflow code loaded', { durationMs: Math.round(performance.now() - started), workflowTypes: sandbox.workflowTypes });
  return new Host(options, sandbox);
}

/** Which levels are written at all, unless a sink of the user's takes the entries. */
function levelsOf({ logger, sinks }: WorkflowHostOptions): ((level: LogLevel) => boolean) | undefined {
  return logger.isEnabled && !sinks?.[LOGGER_SINK] ? (level) => logger.isEnabled!(level) : undefined;
}

async function bundleFor(options: WorkflowHostOptions): Promise<LoadedBundle> {
  if (options.workflowBundle) return loadBundle(options.workflowBundle);
  if (!options.workflowsPath) throw new TypeError('Expected either workflowsPath or workflowBundle, got neither');
  const started = performance.now();
  const { fromCache, ...bundle } = await bundleThroughCache({ ...options, workflowsPath: options.workflowsPath }, options.cache);
  options.logger.debug('Workflow code bundled', { durationMs: Math.round(performance.now() - started), fromCache });
  return bundle;
}

function failureTypes(types: WorkflowHostOptions['workflowFailureErrorTypes'], workflowType: string): readonly string[] {
  const own = types && Object.hasOwn(types, workflowType) ? types[workflowType] : undefined;
  return [...(types?.['*'] ?? []), ...(own ?? [])];
}

/** A run that works on tasks. */
interface Busy {
  tasks: number;
  last: Promise<WorkflowTaskOutcome> | undefined;
  /** The run is to be forgotten when they are done, for this reason. */
  evictFor: string | undefined;
}

class Host implements WorkflowHost {
  readonly #environment: RunEnvironment;
  readonly #cache: RunCache;
  readonly #onCacheLookup: WorkflowHostOptions['onCacheLookup'];
  /** Runs that work on tasks: tasks of a run wait for each other. */
  readonly #busy = new Map<string, Busy>();

  constructor(
    options: WorkflowHostOptions,
    private readonly sandbox: Sandbox,
  ) {
    this.#onCacheLookup = options.onCacheLookup;
    const buildId = options.deploymentVersion?.buildId ?? options.buildId;
    this.#environment = {
      sandbox,
      namespace: options.namespace,
      taskQueue: options.taskQueue,
      version: buildId ? { buildId, deploymentName: options.deploymentVersion?.deploymentName ?? '' } : undefined,
      defaultVersioningBehavior: options.defaultVersioningBehavior,
      activityNames: options.activityNames,
      failureTypesOf: (workflowType) => failureTypes(options.workflowFailureErrorTypes, workflowType),
      activationTimeoutMs: options.activationTimeoutMs ?? DEFAULT_ACTIVATION_TIMEOUT_MS,
      sinks: new SinkDispatcher(options.logger, options.metricMeter, options.sinks ?? {}),
      runLocalActivity: options.runLocalActivity,
    };
    const maxHeapBytes = options.maxHeapBytes ?? getHeapStatistics().heap_size_limit * HEAP_FRACTION;
    this.#cache = new RunCache(options.maxCachedRuns ?? DEFAULT_MAX_CACHED_RUNS, maxHeapBytes, (runId, reason) => {
      options.onEvict?.(runId, reason);
    });
  }

  get cachedRuns(): number {
    return this.#cache.size;
  }

  get workflowTypes(): readonly string[] {
    return this.sandbox.workflowTypes;
  }

  handleTask(task: WorkflowTask, fetchHistory: FetchHistory): Promise<WorkflowTaskOutcome> {
    const runId = task.workflowExecution?.runId ?? '';
    const handle = () => this.#handle(runId, task, fetchHistory);
    const busy = this.#busy.get(runId);
    if (busy) {
      busy.tasks++;
      busy.last = busy.last?.then(handle, handle) ?? handle();
      return busy.last;
    }
    const first: Busy = { tasks: 1, last: undefined, evictFor: undefined };
    this.#busy.set(runId, first);
    first.last = handle();
    return first.last;
  }

  async #handle(runId: string, task: WorkflowTask, fetchHistory: FetchHistory): Promise<WorkflowTaskOutcome> {
    let run: ManagedRun | undefined;
    try {
      const prepared = this.#prepare(task, fetchHistory);
      run = prepared.run;
      const outcome = await run.handle(task, prepared.history);
      if (run.broken) this.#cache.evict(runId, 'its task failed');
      if (run.mismatch) return await this.#explained(outcome, task, fetchHistory);
      if (!run.broken && run.finished) this.#cache.evict(runId, 'it is closed');
      return outcome;
    } catch (error) {
      if (run) this.#cache.evict(runId, 'its task could not be handled');
      throw error;
    } finally {
      const busy = this.#busy.get(runId);
      if (busy && --busy.tasks === 0) {
        this.#busy.delete(runId);
        if (busy.evictFor !== undefined) this.#cache.evict(runId, busy.evictFor);
      }
      this.#cache.trim((id) => this.#busy.has(id));
    }
  }

  /** A failure by a mismatch, told with the place in the code that it comes from. */
  async #explained(outcome: WorkflowTaskOutcome, task: WorkflowTask, fetchHistory: FetchHistory): Promise<WorkflowTaskOutcome> {
    const isFirst = (task.attempt ?? 1) <= 1;
    if (outcome.kind !== 'failed' || !isFirst || toNumber(task.startedEventId) > EXPLAINED_EVENTS) return outcome;
    const explained = await explainMismatch(this.#environment, task, fetchHistory).catch(() => undefined);
    const message = explained?.message ?? outcome.failure.failure.message;
    return { ...outcome, failure: { ...outcome.failure, failure: { ...outcome.failure.failure, message } } };
  }

  /** The cached run if the task's history goes on where it is; otherwise a fresh one, from the first event on. */
  #prepare(task: WorkflowTask, fetchHistory: FetchHistory): { run: ManagedRun; history: PagedHistory } {
    const runId = task.workflowExecution?.runId ?? '';
    const cached = this.#cache.use(runId);
    const fromStart = PagedHistory.startsAtFirstEvent(task);
    if (cached && !fromStart) {
      const first = task.history?.events?.[0];
      if (!first || idOf(first) === cached.nextEventId) {
        this.#onCacheLookup?.(true);
        return { run: cached, history: PagedHistory.ofTask(task, fetchHistory) };
      }
    }
    if (!fromStart) this.#onCacheLookup?.(false);
    if (cached) this.#cache.evict(runId, fromStart ? 'its history comes from the beginning' : 'its history has a gap');
    const run = new ManagedRun(task, this.#environment);
    this.#cache.add(run);
    return { run, history: fromStart ? PagedHistory.ofTask(task, fetchHistory) : PagedHistory.fromBeginning(task, fetchHistory) };
  }

  replayHistory(history: History, workflowId?: string): Promise<ReplayResult> {
    return replayOne(this.#environment, history, workflowId);
  }

  speculativeTaskDropped(runId: string, resetHistoryEventId: number): void {
    this.#cache.use(runId)?.dropSpeculativeTask(resetHistoryEventId);
  }

  evict(runId: string, reason = 'the worker asked for it'): void {
    const busy = this.#busy.get(runId);
    // a later task of the run, which the server gave out as if there had been none before
    if (busy) busy.evictFor = reason;
    else this.#cache.evict(runId, reason);
  }

  dispose(): void {
    this.#cache.clear();
    this.sandbox.dispose();
  }
}
