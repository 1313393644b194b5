/** Callers at this node that wait for an update of a run to be accepted or completed. */
import { enums, type temporal } from '../core/api.js';
import type { UpdateProgress } from '../core/effect.js';
import { isRunning } from '../core/kinds/run.js';
import { findUpdate } from '../core/kinds/update.js';
import type { RunState } from '../core/run-state.js';
import type { Turn } from '../core/turn.js';
import { runIsClosing, runEnded, runEndedFailure, taskFailed } from '../core/update-answers.js';

const STAGE = enums.UpdateWorkflowExecutionLifecycleStage;
export const ADMITTED = STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
export const ACCEPTED = STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
export const COMPLETED = STAGE.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;

/** How far an update is, as its caller is told. */
export interface UpdateStatus {
  stage: number;
  outcome?: temporal.api.update.v1.IOutcome;
}

export interface UpdateWait {
  readonly runId: string;
  readonly updateId: string;
  /** Which admission of that id; undefined when it was accepted before the wait began. */
  readonly admission: number | undefined;
  /** The stage to wait for. */
  readonly stage: number;
  /** False while the commit that admits the update is under way: whoever reads the run does not find it there yet, which says nothing. Left out: it is through. */
  readonly committed?: () => boolean;
}

export interface Waiter extends UpdateWait {
  /** The update is so far, or will get no further: ends the wait when that is enough. */
  readonly tell: (status: UpdateStatus | Error) => void;
}

export class UpdateWaiters {
  private readonly byRun = new Map<string, Set<Waiter>>();

  of(runId: string): readonly Waiter[] {
    return [...(this.byRun.get(runId) ?? [])];
  }

  get runIds(): string[] {
    return [...this.byRun.keys()];
  }

  /**
   * Waits until the update has reached the stage; when the time is up: what it has reached, or `tooLate` thrown where there is one.
   * Throws what became of the update otherwise.
   */
  wait(wait: UpdateWait, timeoutMs: number, onCancelled?: (end: () => void) => void, tooLate?: Error): Promise<UpdateStatus> {
    return new Promise((resolve, reject) => {
      let reached: UpdateStatus = { stage: wait.admission === undefined ? ACCEPTED : ADMITTED };
      const end = (): void => {
        clearTimeout(timer);
        this.remove(waiter);
      };
      const giveUp = (): void => {
        end();
        if (tooLate) reject(tooLate);
        else resolve(reached);
      };
      const timer = setTimeout(giveUp, timeoutMs);
      const waiter: Waiter = {
        ...wait,
        tell(status) {
          if (status instanceof Error) {
            end();
            reject(status);
            return;
          }
          if (status.stage > reached.stage) reached = status;
          if (status.stage < wait.stage) return;
          end();
          resolve(status);
        },
      };
      const set = this.byRun.get(wait.runId) ?? new Set();
      set.add(waiter);
      this.byRun.set(wait.runId, set);
      onCancelled?.(giveUp);
    });
  }

  /**
   * A transition of this node is through: whoever waits for what it did is told. True when somebody here waits for what another node did
   * before it: the run's history has to be looked at.
   */
  tellOf(turn: Turn): boolean {
    const { state } = turn;
    const waiting = this.of(state.info.runId);
    if (waiting.length === 0) return false;
    const progress = new Map<string, UpdateProgress>();
    for (const effect of turn.effects) if (effect.type === 'update') progress.set(effect.updateId, effect.progress);
    let look = false;
    for (const waiter of waiting) {
      const made = progress.get(waiter.updateId);
      const status = made && statusOf(made, waiter);
      if (status && (status instanceof Error || status.stage !== ACCEPTED || isRunning(state))) waiter.tell(status);
      else if (endedElsewhere(state, waiter)) look = true;
      else if (!isRunning(state)) waiter.tell(endedStatus(state, waiter.updateId));
    }
    return look;
  }

  private remove(waiter: Waiter): void {
    const set = this.byRun.get(waiter.runId);
    set?.delete(waiter);
    if (set?.size === 0) this.byRun.delete(waiter.runId);
  }
}

/** Undefined when that is about an earlier admission of the same id. */
function statusOf(progress: UpdateProgress, { admission }: UpdateWait): UpdateStatus | Error | undefined {
  switch (progress.stage) {
    case 'accepted':
      return { stage: ACCEPTED };
    case 'completed':
      return { stage: COMPLETED, outcome: progress.outcome };
    case 'rejected':
      return progress.admission === admission ? { stage: COMPLETED, outcome: { failure: progress.failure } } : undefined;
    case 'dropped':
      return progress.admission === admission ? taskFailed() : undefined;
  }
}

/** The update has its outcome, of which this node was not told. */
function endedElsewhere(state: RunState, { updateId, admission }: UpdateWait): boolean {
  if (findUpdate(state, updateId)?.stage === 'completed') return true;
  return state.updatesRefused.some((refused) => refused.updateId === updateId && refused.admission === admission);
}

/** What the end of its run makes of an update that is not completed. */
export function endedStatus(state: RunState, updateId: string): UpdateStatus | Error {
  if (state.updatesAccepted.some((u) => u.updateId === updateId)) return { stage: COMPLETED, outcome: { failure: runEndedFailure() } };
  return state.newRunId ? runIsClosing() : runEnded();
}
