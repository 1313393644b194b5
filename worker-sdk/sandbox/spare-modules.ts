/**
 * The user's modules, instantiated for the next new run before it comes: that is done while the worker waits for the server, and its first
 * task need not wait for it. Only where nothing can tell: modules that look at the run while they load (its time, its randomness, its name)
 * are loaded when the run is there.
 */
import type { UserModules } from '../workflow/runtime.js';
import { RunScope } from './rejections.js';
import { CutOffError, guard } from './time-guard.js';

/** How long loading may take before it is cut off. */
const LOAD_LIMIT_MS = 5_000;

/** Modules that no run has had, and where their code executes. */
export interface LoadedModules {
  modules: UserModules;
  scope: RunScope;
}

export interface SpareModulesOptions {
  /** Loads the modules for no run. */
  load(scope: RunScope): UserModules;
  /** Whether anybody has asked which run executes since this was called last. */
  takeObserved(): boolean;
  /** After loading was cut off. */
  recover(): void;
}

/** Keeps one set of modules ready. */
export class SpareModules {
  private spare: LoadedModules | undefined;
  private preparing = false;
  /** Set when loading ahead is of no use. */
  private off = false;

  constructor(private readonly options: SpareModulesOptions) {}

  /** The modules that are ready, if some are; others will be soon. */
  take(): LoadedModules | undefined {
    const { spare } = this;
    this.spare = undefined;
    this.prepareSoon();
    return spare;
  }

  /** Prepares no more. */
  stop(): void {
    this.off = true;
    this.spare = undefined;
  }

  /** Once what is under way is answered: answers leave in this turn of the event loop. */
  private prepareSoon(): void {
    if (this.preparing || this.off) return;
    this.preparing = true;
    setImmediate(() => setImmediate(() => this.prepare()));
  }

  private prepare(): void {
    this.preparing = false;
    if (this.off) return;
    const { load, takeObserved, recover } = this.options;
    // A promise that modules leave rejected must fail the run that they are for.
    const scope = new RunScope({ unhandledRejection: () => this.stop() });
    takeObserved();
    try {
      this.spare = guard(LOAD_LIMIT_MS, () => ({ modules: load(scope), scope }));
    } catch (error) {
      // The run that loads them itself says what is wrong.
      this.stop();
      if (error instanceof CutOffError) recover();
    }
    if (takeObserved()) this.stop();
  }
}
