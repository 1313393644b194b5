/** The door between the sandbox and the workflow package: the only file that the sandbox's outside calls. */
import type { FailureConverter } from '../payload/failure-converter.js';
import type { PayloadConverter } from '../payload/payload-converter.js';
import type { LogLevel } from '../definitions/logger.js';
import type { Workflow } from '../definitions/workflow.js';
import { TypedSearchAttributes } from '../payload/search-attributes.js';
import type { Activation, ActivationResult } from '../replay/protocol.js';
import { activate, conclude, dispose, prepare, settle } from './activation.js';
import { CancellationScope, RootCancellationScope } from './cancellation-scope.js';
import { maybeCurrentRun, setCurrentRun, takeObserved } from './current-run.js';
import { DeterminismViolationError } from './errors.js';
import type { WorkflowInterceptors } from './interceptors.js';
import type { UnsafeWorkflowInfo, WorkflowInfo } from './interfaces.js';
import { logFor } from './logs.js';
import { fillFrom, uuid4From } from './random.js';
import { RunContext, type RunInit, type SinkCall } from './run-context.js';
import { SdkFlags } from './sdk-flags.js';
import { sleep } from './timers.js';
import { optionsOf } from './workflow-definition.js';

/** The user's modules, instantiated for one run. */
export interface UserModules {
  workflows: Record<string, unknown>;
  interceptors: { interceptors?: () => WorkflowInterceptors }[];
}

/** What the outside says about a new run. */
export interface NewRun {
  workflowId: string;
  runId: string;
  workflowType: string;
  namespace: string;
  taskQueue: string;
  nowMs: number;
  seed: () => readonly number[];
  activityNames?: ReadonlySet<string>;
  failureExceptionTypes?: readonly string[];
  tracesCommands?: boolean;
}

/** What the outside lends to all runs. */
export interface RuntimeHost {
  timeOfDay: () => bigint;
  isLogged?: (level: LogLevel) => boolean;
  now: () => number;
  random: () => number;
  payloadConverter?: PayloadConverter;
  failureConverter?: FailureConverter;
  /** The text of a source file, where people want to see it in stack traces. */
  sourceOf?: (path: string) => string | undefined;
  /** Whether a run follows a patch that it meets for the first time. */
  decidePatch?: (input: { workflowInfo: WorkflowInfo; patchId: string }) => unknown;
}

/** Makes a run and loads its modules, without running its workflow yet. */
export function createRun(host: RuntimeHost, given: NewRun, load: () => UserModules): RunContext {
  const run = new RunContext(runInit(host, given));
  setCurrentRun(run);
  const { workflows, interceptors } = load();
  for (const module of interceptors) {
    if (module.interceptors === undefined) continue;
    const { inbound = [], outbound = [], internals = [] } = module.interceptors();
    run.inbound.push(...inbound);
    run.outbound.push(...outbound);
    run.internals.push(...internals);
  }
  run.workflow = findWorkflow(workflows, given.workflowType);
  const { workflowDefinitionOptions: options, staticOptions } = optionsOf(run.workflow);
  if (typeof options === 'function') run.optionsGetter = options;
  else if (options) {
    run.versioningBehavior = options.versioningBehavior;
    run.failureClasses = options.failureExceptionTypes;
  }
  run.typeInfo = staticOptions?.typeInfo;
  return run;
}

function findWorkflow(workflows: Record<string, unknown>, type: string): Workflow {
  const own = Object.hasOwn(workflows, type) ? workflows[type] : undefined; // not what every object inherits, such as `toString`
  if (typeof own === 'function') return own as Workflow;
  if (typeof workflows.default === 'function') return workflows.default as Workflow;
  const names = Object.keys(workflows).filter((name) => typeof workflows[name] === 'function');
  const why = own === undefined ? 'no such function is exported by the workflow bundle' : `expected a function, but got: '${typeof own}'`;
  throw new TypeError(`Failed to initialize workflow of type '${type}': ${why}. It exports: ${names.join(', ') || 'nothing'}`);
}

/** What `unsafe` of all runs begins with: functions of this realm around those of the host, which workflow code must not hold. */
const unsafeOfHost = new WeakMap<RuntimeHost, UnsafeWorkflowInfo>();

function unsafeOf(host: RuntimeHost): UnsafeWorkflowInfo {
  let unsafe = unsafeOfHost.get(host);
  if (!unsafe) {
    const draw = Object.freeze(() => host.random());
    const uuid4 = Object.freeze(() => uuid4From(draw));
    const fillRandom = Object.freeze((bytes: Uint8Array) => fillFrom(draw, bytes));
    const random = Object.freeze({ random: draw, uuid4, fillRandom });
    unsafe = Object.freeze({ now: Object.freeze(() => host.now()), isReplaying: true, isReplayingHistoryEvents: true, random });
    unsafeOfHost.set(host, unsafe);
  }
  return unsafe;
}

function runInit(host: RuntimeHost, given: NewRun): RunInit {
  const { workflowId, runId, workflowType, namespace, taskQueue } = given;
  const epoch = new Date(0);
  const info: WorkflowInfo = {
    workflowId,
    runId,
    workflowType,
    namespace,
    taskQueue,
    searchAttributes: {},
    typedSearchAttributes: new TypedSearchAttributes(),
    memo: {},
    historyLength: 0,
    historySize: 0,
    continueAsNewSuggested: false,
    targetWorkerDeploymentVersionChanged: false,
    firstExecutionRunId: '',
    originalExecutionRunId: '',
    startTime: epoch,
    runStartTime: epoch,
    taskTimeoutMs: 0,
    attempt: 1,
    unsafe: unsafeOf(host),
  };
  const { seed, nowMs, activityNames, failureExceptionTypes, tracesCommands } = given;
  const { timeOfDay, isLogged, payloadConverter, failureConverter, sourceOf, decidePatch } = host;
  return {
    ...{ info, seed, nowMs, timeOfDay, isLogged, payloadConverter, failureConverter, activityNames, failureExceptionTypes, tracesCommands },
    ...{ sourceOf, decidePatch },
  };
}

/** One step of an activation; the sandbox drains the microtask queue after each. */
export const steps = {
  prepare,
  activate,
  settle,
  conclude,
  dispose,
  /** Says which run's code executes from now on. */
  enter: setCurrentRun,
  /** Whether code has looked at the run that executes since this was called last. */
  takeObserved,
  takeSinkCalls(run: RunContext): SinkCall[] {
    const calls = run.sinkCalls;
    run.sinkCalls = [];
    return calls;
  },
  errorToFailure: (run: RunContext, error: unknown) => run.errorToFailure(error),
} as const;

/** Classes that workflow code meets only by their instances: they are all runs' too. */
export const sharedClasses = [RunContext, RootCancellationScope] as const;

export type RunSteps = typeof steps;
export type { Activation, ActivationResult, RunContext };

/** What the realm's globals do depends on the run that executes. */
export const realmHooks = {
  /** The clock of the workflow; `undefined` when none executes. */
  nowMs: (): number | undefined => maybeCurrentRun()?.nowMs,
  startMs: (): number => maybeCurrentRun()?.facts.runStartTime.getTime() ?? 0,
  random: (): number | undefined => maybeCurrentRun()?.random.current(),
  inWorkflow: (): boolean => maybeCurrentRun() !== undefined,
  setTimeout,
  clearTimeout,
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    const run = maybeCurrentRun();
    if (run) logFor(run, level, message);
  },
  violation: (message: string): Error => new DeterminismViolationError(message),
};
export type RealmHooks = typeof realmHooks;

const TIMEOUTS = Symbol('timeouts');

function timeoutScopes(run: RunContext): Map<number, CancellationScope> {
  let scopes = run.slots.get(TIMEOUTS) as Map<number, CancellationScope> | undefined;
  if (!scopes) {
    scopes = new Map();
    run.slots.set(TIMEOUTS, scopes);
  }
  return scopes;
}

/** A durable timer; its handle is the timer's number. */
function setTimeout(callback: (...args: unknown[]) => void, ms: number, ...args: unknown[]): number {
  const run = maybeCurrentRun();
  if (!run) throw new DeterminismViolationError('setTimeout() cannot be used while modules are loaded');
  const durationMs = Math.max(1, Number(ms) || 0);
  if (!run.hasFlag(SdkFlags.NonCancellableScopesAreShieldedFromPropagation)) return setTimeoutOfOld(run, callback, durationMs, args);
  const seq = run.next.timer;
  const scopes = timeoutScopes(run);
  const scope = new CancellationScope({ cancellable: true });
  scope
    .run(() => sleep(durationMs))
    .then(
      () => {
        scopes.delete(seq);
        callback(...args);
      },
      () => {
        scopes.delete(seq);
      },
    );
  scopes.set(seq, scope);
  return seq;
}

/** The way of histories from before timers of `setTimeout` had scopes. */
function setTimeoutOfOld(run: RunContext, callback: (...args: unknown[]) => void, ms: number, args: unknown[]): number {
  const seq = run.next.timer++;
  const seconds = Math.floor(ms / 1000);
  new Promise<unknown>((resolve, reject) => {
    run.timers.set(seq, { resolve, reject });
    const startToFireTimeout = { seconds: seconds as never, nanos: Math.round((ms - seconds * 1000) * 1e6) };
    run.push({ startTimer: { seq, startToFireTimeout } });
  }).then(
    () => callback(...args),
    () => undefined,
  );
  return seq;
}

function clearTimeout(handle: number | undefined): void {
  const run = maybeCurrentRun();
  if (!run || handle === undefined) return;
  const scopes = timeoutScopes(run);
  const scope = scopes.get(handle);
  if (scope) {
    scopes.delete(handle);
    scope.cancel();
  } else if (!run.hasFlag(SdkFlags.NonCancellableScopesAreShieldedFromPropagation)) {
    run.next.timer++;
    run.timers.delete(handle);
    run.push({ cancelTimer: { seq: handle } });
  }
}
