/**
 * The sandbox of a worker: one context with frozen intrinsics in which the code of all runs executes, one run at a time. The context has a
 * microtask queue of its own, which is drained when a script has been evaluated in it, and never at any other time.
 */
import { createContext, Script } from 'node:vm';
import type { Activation, ActivationResult } from '../replay/protocol.js';
import type { PatchActivationCallback } from '../replay/workflow-host.js';
import type { ProtoFailure } from '../definitions/api.js';
import type { LogLevel } from '../definitions/logger.js';
import type { SinkCall } from '../workflow/run-context.js';
import type { NewRun, RunContext, RuntimeHost, UserModules } from '../workflow/runtime.js';
import { FORBIDDEN_PREFIX, LIBRARY_PREFIX } from './bundle-plugin.js';
import { BUNDLE_VERSION, type BundleFactory, type LibraryExports, WorkflowBundleError } from './bundler.js';
import { convertersOf } from './converters.js';
import type { LoadedBundle } from './load-bundle.js';
import type { Realm } from './realm/index.js';
import { realmHost } from './realm-host.js';
import { type RejectionOwner, resetOwner, RunScope, watchRealm } from './rejections.js';
import { SourcePositions } from './source-positions.js';
import { SpareModules } from './spare-modules.js';
import { guard } from './time-guard.js';

/** How long the rest of code that was cut off may take. */
const RECOVERY_MS = 100;
const FILENAME = 'perdure-workflows.js';
const drained = new Script('0', { filename: 'perdure-sandbox:drain' });

export interface SandboxOptions {
  /** Lets queries for stack traces see source files. */
  showStackTraceSources?: boolean;
  patchActivationCallback?: PatchActivationCallback;
  /** Whether log entries of a level go anywhere. Absent: all do. */
  isLogged?: (level: LogLevel) => boolean;
}

export class Sandbox {
  readonly #context: object;
  readonly #realm: Realm;
  readonly #libraries: LibraryExports;
  readonly #interop = new Map<string, object>();
  readonly #instantiate: ReturnType<BundleFactory['workflows']>;
  readonly #host: RuntimeHost;
  readonly #positions: SourcePositions;
  readonly #unwatch: () => void;
  readonly #spares: SpareModules;
  #locked = false;
  /** Names of the workflows that the bundle exports. */
  readonly workflowTypes: readonly string[];

  constructor(
    { code, sourceMap }: LoadedBundle,
    private readonly options: SandboxOptions = {},
  ) {
    this.#positions = new SourcePositions(sourceMap);
    this.#context = createContext(this.#globalObject(), { microtaskMode: 'afterEvaluate', name: 'perdure workflows' });
    const factory = new Script(code, { filename: FILENAME }).runInContext(this.#context) as BundleFactory;
    if (factory?.version !== BUNDLE_VERSION) {
      throw new WorkflowBundleError(
        `Expected a workflow bundle of version ${BUNDLE_VERSION}, got ${factory?.version}: bundle it again with this SDK`,
      );
    }
    this.#realm = factory.realm().installRealm(realmHost(FILENAME, this.#positions));
    const globals = this.#realm.globals(factory.globalNames);
    this.#libraries = factory.libraries(globals, this.#requireFunction());
    for (const load of this.#libraries.modules) load();
    this.drain();
    this.#realm.setHooks(this.#libraries.runtime.realmHooks);
    this.#instantiate = factory.workflows(globals);
    this.#host = this.#runtimeHost();
    // Libraries do things when they are first used, such as extending what is built in: the modules are loaded once before that is frozen.
    this.workflowTypes = this.#findWorkflowTypes();
    // What a bundled module exports lies behind getters, which have to be called to see it.
    this.#realm.freeze([this.#libraries.runtime, ...this.#libraries.sdk].flatMap((module) => [module, ...Object.values(module as object)]));
    this.#locked = true;
    this.#spares = new SpareModules({
      load: (scope) => this.#inside(scope, () => this.#loadModules()),
      takeObserved: this.steps.takeObserved,
      recover: () => this.recover(),
    });
    this.#unwatch = watchRealm((promise) => this.#realm.isOwnPromise(promise));
  }

  /** Loads the user's modules for a new run. Throws what they throw. */
  createRun(given: NewRun, owner: RejectionOwner): SandboxRun {
    const { runtime } = this.#libraries;
    const spare = this.#spares.take();
    const scope = spare?.scope.belongTo(owner) ?? new RunScope(owner);
    const run = this.#inside(scope, () => runtime.createRun(this.#host, given, () => spare?.modules ?? this.#loadModules()));
    return new SandboxRun(this, run, scope);
  }

  get steps(): LibraryExports['runtime']['steps'] {
    return this.#libraries.runtime.steps;
  }

  /** Runs something in the sandbox, and then all microtasks that came of it. More of them may be run in between: see {@link drain}. */
  inside<T>(scope: RunScope, run: RunContext, fn: () => T): T {
    this.steps.enter(run);
    return this.#inside(scope, fn);
  }

  /**
   * After code was cut off: it left without tidying up, and what it had queued must not run in the next run's name. The code is terminated
   * again should it go on.
   */
  recover(): void {
    const nobody = new RunScope({ unhandledRejection: () => undefined });
    for (let tries = 0; tries < 3; tries++) {
      try {
        guard(RECOVERY_MS, () => nobody.run(() => this.drain()));
        break;
      } catch {
        // Terminated: the queue is gone with it.
      }
    }
    resetOwner();
    this.steps.enter(undefined);
    this.#realm.tidyUp();
  }

  dispose(): void {
    this.#spares.stop();
    this.#unwatch();
  }

  #inside<T>(scope: RunScope, fn: () => T): T {
    try {
      return scope.run(() => {
        try {
          return fn();
        } finally {
          this.drain();
        }
      });
    } finally {
      this.steps.enter(undefined);
      this.#realm.tidyUp();
    }
  }

  /** A context's global object cannot be frozen, but what it keeps its properties in can refuse changes. */
  #globalObject(): object {
    const change = (key: string | symbol, apply: () => boolean): boolean => {
      if (this.#locked) throw this.#realm.refusal(key);
      return apply();
    };
    return new Proxy(
      {},
      {
        set: (target, key, value) => change(key, () => Reflect.set(target, key, value)),
        defineProperty: (target, key, descriptor) => change(key, () => Reflect.defineProperty(target, key, descriptor)),
        deleteProperty: (target, key) => change(key, () => Reflect.deleteProperty(target, key)),
      },
    );
  }

  /** Runs all microtasks that are queued. */
  drain(): void {
    drained.runInContext(this.#context);
  }

  #loadModules(): UserModules {
    const library = this.#realm.lend((specifier: string) => this.#library(specifier));
    return this.#instantiate(library, this.#requireFunction(), this.#realm.newGlobal()) as UserModules;
  }

  /** A library as `import` sees it: `<number>:<mode>`. */
  #library(specifier: string): unknown {
    if (specifier.startsWith(FORBIDDEN_PREFIX)) return this.#require(specifier);
    let namespace = this.#interop.get(specifier);
    if (!namespace) {
      const [number, mode] = specifier.split(':');
      const { modules, isSdk } = this.#libraries;
      namespace = this.#realm.interop(modules[Number(number)]!(), mode === 'node');
      // It has no default export, and the object that bundled code has for the module is no one's business.
      if (isSdk[Number(number)]) delete (namespace as { default?: unknown }).default;
      Object.freeze(namespace);
      this.#interop.set(specifier, namespace);
    }
    return namespace;
  }

  /** A library, or the stand-in for a forbidden module, as `require()` sees it. */
  #require(specifier: string): unknown {
    if (specifier.startsWith(LIBRARY_PREFIX)) {
      return this.#libraries.modules[Number.parseInt(specifier.slice(LIBRARY_PREFIX.length), 10)]!();
    }
    return this.#realm.forbiddenModule(specifier.startsWith(FORBIDDEN_PREFIX) ? specifier.slice(FORBIDDEN_PREFIX.length) : specifier);
  }

  #requireFunction(): (specifier: string) => unknown {
    return this.#realm.makeRequire((specifier: string) => this.#require(specifier));
  }

  #runtimeHost(): RuntimeHost {
    return {
      timeOfDay: () => BigInt(Date.now()) * 1_000_000n,
      isLogged: this.options.isLogged,
      now: () => Date.now(),
      random: () => Math.random(),
      ...convertersOf(this.#libraries),
      sourceOf: this.options.showStackTraceSources ? (path) => this.#positions.sourceOf(path) : undefined,
      decidePatch: this.options.patchActivationCallback,
    };
  }

  #findWorkflowTypes(): string[] {
    const nobody = new RunScope({ unhandledRejection: () => undefined });
    const { workflows } = this.#inside(nobody, () => this.#loadModules());
    return Object.keys(workflows).filter((name) => typeof workflows[name] === 'function');
  }
}

/** One run's code in the sandbox. */
export class SandboxRun {
  constructor(
    private readonly sandbox: Sandbox,
    private readonly run: RunContext,
    private readonly scope: RunScope,
  ) {}

  /** Runs the jobs of an activation until the code waits again. Throws what fails the workflow task. */
  activate(activation: Activation): ActivationResult {
    const { sandbox, run } = this;
    const { steps } = sandbox;
    return this.#step(() => {
      const rounds = steps.prepare(run, activation);
      const [first] = activation.jobs;
      // Only the user's converters may have queued something, which see what the start brings.
      if (first?.initializeWorkflow) sandbox.drain();
      const isQuery = first?.queryWorkflow !== undefined;
      rounds.forEach((jobs, index) => {
        steps.activate(run, activation, jobs, index);
        sandbox.drain();
        if (!isQuery) this.#settle();
      });
      return steps.conclude(run);
    });
  }

  /** Every condition that unblocks starts code that may unblock the next; and looking at one may start code too. */
  #settle(): void {
    const { sandbox, run } = this;
    for (;;) {
      const unblocked = sandbox.steps.settle(run);
      if (unblocked === undefined) return;
      sandbox.drain();
      if (unblocked === 0) return;
    }
  }

  takeSinkCalls(): SinkCall[] {
    return this.sandbox.steps.takeSinkCalls(this.run);
  }

  /** An error of the run's code as a failure, by the user's converter. */
  errorToFailure(error: unknown): ProtoFailure {
    return this.#step(() => this.sandbox.steps.errorToFailure(this.run, error));
  }

  dispose(): void {
    this.#step(() => this.sandbox.steps.dispose(this.run));
  }

  #step<T>(fn: () => T): T {
    return this.sandbox.inside(this.scope, this.run, fn);
  }
}
