/**
 * The workflow runtime's side of an activation, as the sandbox calls it. Between two calls the sandbox drains the microtask queue;
 * the order of jobs, conditions and microtasks is part of what replay repeats, and is that of the field's TypeScript SDK.
 */
import type { Activation, ActivationResult, Job } from '../replay/protocol.js';
import { encodeVersioningBehavior } from '../definitions/versioning.js';
import { toNumber } from '../definitions/api.js';
import { tsToMs } from '../definitions/duration.js';
import { rejectBufferedUpdates } from './incoming-updates.js';
import type { ActivateInput, ConcludeActivationInput } from './interceptors.js';
import type { SuggestContinueAsNewReason } from './interfaces.js';
import { handleJob, initialize, startInfo, startWorkflow } from './jobs.js';
import { logFor } from './logs.js';
import type { HandlerExecution, RunContext } from './run-context.js';
import { SdkFlags } from './sdk-flags.js';

const SUGGEST_REASONS: readonly (SuggestContinueAsNewReason | undefined)[] = [
  undefined,
  'HISTORY_SIZE_TOO_LARGE',
  'TOO_MANY_HISTORY_EVENTS',
  'TOO_MANY_UPDATES',
];

/** The activation split into rounds, each to be handled and settled before the next. */
export function prepare(run: RunContext, activation: Activation): Job[][] {
  if (activation.jobs[0]?.queryWorkflow) {
    setReplaying(run, true, false);
    return [activation.jobs];
  }
  run.nowMs = tsToMs(activation.timestamp);
  takeTaskInfo(run, activation);
  for (const flag of activation.availableInternalFlags ?? []) run.knownFlags.add(flag);
  if (activation.lastSdkVersion) run.sdkVersion = activation.lastSdkVersion;
  const { jobs } = activation;
  const start = jobs[0]?.initializeWorkflow;
  if (start) guarded(run, () => initialize(run, start));
  const rest: Job[] = [];
  for (const job of jobs) {
    if (job.notifyHasPatch) run.knownPatches.add(job.notifyHasPatch.patchId!);
    else rest.push(job);
  }
  const signals = rest.filter((job) => job.signalWorkflow);
  if (signals.length === 0 || run.hasFlag(SdkFlags.ProcessWorkflowActivationJobsAsSingleBatch)) return [seedFirst(run, rest)];
  return [signals, rest.filter((job) => !job.signalWorkflow)].filter((round) => round.length > 0);
}

/** A new seed holds for all jobs of its activation. */
function seedFirst(run: RunContext, jobs: Job[]): Job[] {
  const last = jobs.findLast((job) => job.updateRandomSeed);
  if (!last) return jobs;
  handleJob(run, last);
  return jobs.filter((job) => !job.updateRandomSeed);
}

function takeTaskInfo(run: RunContext, activation: Activation): void {
  const isReplaying = activation.isReplaying ?? false;
  const version = activation.deploymentVersionForCurrentTask;
  const reasons = (activation.suggestContinueAsNewReasons ?? [])
    .map((reason) => SUGGEST_REASONS[reason])
    .filter((reason) => reason !== undefined);
  const start = activation.jobs[0]?.initializeWorkflow;
  run.changeInfo({
    ...(start ? startInfo(start) : {}),
    historyLength: activation.historyLength ?? 0,
    historySize: toNumber(activation.historySizeBytes),
    continueAsNewSuggested: activation.continueAsNewSuggested ?? false,
    targetWorkerDeploymentVersionChanged: activation.targetWorkerDeploymentVersionChanged ?? false,
    suggestedContinueAsNewReasons: reasons.length > 0 ? reasons : undefined,
    currentBuildId: version?.buildId ?? '',
    currentDeploymentVersion: version?.buildId ? { buildId: version.buildId, deploymentName: version.deploymentName ?? '' } : undefined,
  });
  setReplaying(run, isReplaying, isReplaying);
}

function setReplaying(run: RunContext, isReplaying: boolean, isReplayingHistoryEvents: boolean): void {
  const { unsafe } = run.facts;
  if (unsafe.isReplaying === isReplaying && unsafe.isReplayingHistoryEvents === isReplayingHistoryEvents) return;
  run.changeInfo({ unsafe: Object.freeze({ ...unsafe, isReplaying, isReplayingHistoryEvents }) });
}

/** Handles the jobs of a round. Microtasks run only after it returns. */
export function activate(run: RunContext, activation: Activation, jobs: Job[], batchIndex: number): void {
  guarded(run, () => {
    const next = ({ activation: { jobs: given } }: ActivateInput): void => {
      const start = given?.[0]?.initializeWorkflow;
      for (const job of (given ?? []) as Job[]) {
        if (job.initializeWorkflow) continue;
        handleJob(run, job);
        if (!job.queryWorkflow) run.unblockConditions();
      }
      if (!start) return;
      startWorkflow(run, start);
      run.unblockConditions();
    };
    const input = { activation: { ...activation, jobs }, batchIndex };
    (run.intercept(run.internals, 'activate', next) as (input: ActivateInput) => void)(input);
  });
}

/** Unblocks conditions. Returns how many; if any, microtasks must run and this be called again. Undefined when there was none to look at. */
export function settle(run: RunContext): number | undefined {
  return guarded(run, () => {
    const waited = run.conditions.size > 0;
    const unblocked = run.unblockConditions();
    return waited ? unblocked : undefined;
  });
}

/** Ends an activation: takes what it produced. */
export function conclude(run: RunContext): ActivationResult {
  return guarded(run, () => {
    rejectBufferedUpdates(run);
    const commands = run.commands;
    run.commands = [];
    const next = (input: ConcludeActivationInput) => input;
    const intercepted = (run.intercept(run.internals, 'concludeActivation', next) as typeof next)({ commands });
    if (run.completed) warnOfUnfinishedHandlers(run);
    return {
      commands: intercepted.commands,
      usedFlags: [...run.knownFlags],
      versioningBehavior: encodeVersioningBehavior(run.versioningBehavior),
    };
  });
}

/** Frees what interceptors hold. */
export function dispose(run: RunContext): void {
  if (run.internals.length > 0) (run.intercept(run.internals, 'dispose', () => undefined) as (input: object) => void)({});
}

/** While `fn` runs no microtask does, so that errors may be thrown where they occur. */
function guarded<T>(run: RunContext, fn: () => T): T {
  run.throwsSynchronously = true;
  try {
    return fn();
  } finally {
    run.throwsSynchronously = false;
  }
}

function warnOfUnfinishedHandlers(run: RunContext): void {
  if (run.hasTaskError) return;
  warnOf(run, 'update', run.updatesInProgress.values(), ({ name, id }) => ({ name, id }));
  warnOf(run, 'signal', run.signalsInProgress.values(), ({ name }) => ({ name }));
}

function warnOf(
  run: RunContext,
  kind: string,
  executions: Iterable<HandlerExecution>,
  show: (execution: HandlerExecution) => object,
): void {
  const unfinished = [...executions].filter(({ unfinishedPolicy }) => unfinishedPolicy === 'WARN_AND_ABANDON');
  if (unfinished.length === 0) return;
  logFor(
    run,
    'warn',
    `Workflow closed while ${kind} handlers still run: what they do from now on is lost. To let them finish, wait before you return or continue ` +
      `as new: \`await condition(allHandlersFinished)\`. If it does not matter, set \`unfinishedPolicy: 'ABANDON'\` for the handler. ` +
      `Unfinished: ${JSON.stringify(unfinished.map(show))}`,
  );
}
