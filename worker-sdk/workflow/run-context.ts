/** All that one run's workflow code has: its information, handlers, what it waits for, the commands it issued. One instance a run. */
import type { LogLevel } from '../definitions/logger.js';
import type { TypeInfo } from '../definitions/type-info.js';
import type { VersioningBehavior } from '../definitions/versioning.js';
import type { PayloadTypeInfo } from '../definitions/type-info.js';
import type {
  Workflow,
  WorkflowQueryAnnotatedType,
  WorkflowSignalAnnotatedType,
  WorkflowUpdateAnnotatedType,
} from '../definitions/workflow.js';
import type { ProtoFailure } from '../definitions/api.js';
import { type Next, composeInterceptors } from '../definitions/interceptors.js';
import { defaultFailureConverter, type FailureConverter } from '../payload/failure-converter.js';
import { ensureTemporalFailure, TemporalFailure } from '../payload/failure.js';
import { defaultPayloadConverter, type PayloadConverter } from '../payload/payload-converter.js';
import type { SerializationContext, WorkflowSerializationContext } from '../payload/serialization-context.js';
import type { Job, WorkflowCommand } from '../replay/protocol.js';
import { CancellationScope, RootCancellationScope } from './cancellation-scope.js';
import { isCancellation } from './errors.js';
import {
  ContinueAsNew,
  type DefaultQueryHandler,
  type DefaultSignalHandler,
  type DefaultUpdateHandler,
  type WorkflowInfo,
} from './interfaces.js';
import type { WorkflowInboundCallsInterceptor, WorkflowInternalsInterceptor, WorkflowOutboundCallsInterceptor } from './interceptors.js';
import { RunRandom } from './run-random.js';
import type { SdkFlag } from './sdk-flags.js';

/** Something the code waits for. */
export interface Completion {
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  context?: SerializationContext;
  outputTypeInfo?: TypeInfo;
  /** Where it was asked for; its text is made only for the stack trace queries. */
  waitsAt?: Error;
}

/** A call of a sink that workflow code made. */
export interface SinkCall {
  /** Which of the sinks. */
  ifaceName: string;
  /** Which of its functions. */
  fnName: string;
  /** Those of `proxySinks` are copies: what the workflow does to them later does not show. */
  args: unknown[];
  /** As it was at the call. */
  workflowInfo: WorkflowInfo;
}

export interface HandlerExecution {
  name: string;
  unfinishedPolicy: 'WARN_AND_ABANDON' | 'ABANDON';
  id?: string;
}

/** How a run is made. */
export interface RunInit {
  info: WorkflowInfo;
  /** Bytes that seed the randomness; asked for on first use. */
  seed: () => readonly number[];
  nowMs: number;
  /** Nanoseconds since 1970, of the machine's clock. */
  timeOfDay: () => bigint;
  /** Whether log entries of a level go anywhere. Absent: all do. */
  isLogged?: (level: LogLevel) => boolean;
  payloadConverter?: PayloadConverter;
  failureConverter?: FailureConverter;
  /** `default` stands for any. Absent: not checked. */
  activityNames?: ReadonlySet<string>;
  /** Names of error classes that fail the run. */
  failureExceptionTypes?: readonly string[];
  /** Notes where each command is issued, to explain a mismatch. */
  tracesCommands?: boolean;
  /** The text of a source file, where people want to see it in stack traces. */
  sourceOf?: (path: string) => string | undefined;
  /** Whether the run follows a patch that it meets for the first time. */
  decidePatch?: (input: { workflowInfo: WorkflowInfo; patchId: string }) => unknown;
}

type SignalJob = NonNullable<Job['signalWorkflow']>;
type UpdateJob = NonNullable<Job['doUpdate']>;
// biome-ignore lint/suspicious/noExplicitAny: any class of errors.
export type ErrorClass = new (...args: any[]) => Error;

export class RunContext {
  /** What is known of the run, for the runtime's own use: it changes, and user code never sees it. */
  readonly facts: { -readonly [Key in keyof WorkflowInfo]: WorkflowInfo[Key] };
  private snapshot: WorkflowInfo | undefined;
  nowMs: number;
  workflow: Workflow | undefined;
  typeInfo: PayloadTypeInfo | undefined;
  versioningBehavior: VersioningBehavior | undefined;
  failureClasses: readonly ErrorClass[] | undefined;
  optionsGetter: (() => { versioningBehavior?: VersioningBehavior; failureExceptionTypes?: ErrorClass[] }) | undefined;
  readonly init: RunInit;
  readonly payloadConverter: PayloadConverter;
  readonly failureConverter: FailureConverter;
  readonly random: RunRandom;
  readonly rootScope = new RootCancellationScope();
  readonly inbound: WorkflowInboundCallsInterceptor[] = [];
  readonly outbound: WorkflowOutboundCallsInterceptor[] = [];
  readonly internals: WorkflowInternalsInterceptor[] = [];

  readonly timers = new Map<number, Completion>();
  readonly activities = new Map<number, Completion>();
  readonly childStarts = new Map<number, Completion>();
  readonly childResults = new Map<number, Completion>();
  readonly signalsSent = new Map<number, Completion>();
  readonly cancelsSent = new Map<number, Completion>();
  readonly conditions = new Map<number, { fn: () => boolean; resolve: () => void; waitsAt?: Error }>();
  readonly next = { timer: 1, activity: 1, child: 1, signal: 1, cancel: 1, condition: 1, approval: 1 };

  readonly signalHandlers = new Map<string, WorkflowSignalAnnotatedType>();
  readonly updateHandlers = new Map<string, WorkflowUpdateAnnotatedType>();
  readonly queryHandlers = new Map<string, WorkflowQueryAnnotatedType>();
  defaultSignalHandler: DefaultSignalHandler | undefined;
  defaultUpdateHandler: DefaultUpdateHandler | undefined;
  defaultQueryHandler: DefaultQueryHandler | undefined;
  bufferedSignals: SignalJob[] = [];
  bufferedUpdates: UpdateJob[] = [];
  readonly signalsInProgress = new Map<number, HandlerExecution>();
  readonly updatesInProgress = new Map<string, HandlerExecution>();
  signalExecutions = 0;

  readonly knownPatches = new Set<string>();
  readonly decidedPatches = new Map<string, boolean>();
  readonly knownFlags = new Set<number>();
  sdkVersion: string | undefined;
  /** What `AsyncLocalStorage`s, approvals and the like keep for the run. */
  readonly slots = new Map<symbol, unknown>();
  currentDetails = '';
  commands: WorkflowCommand[] = [];
  sinkCalls: SinkCall[] = [];
  cancelled = false;
  completed = false;
  /** The first error that fails the workflow task. */
  taskError: unknown;
  hasTaskError = false;
  /** Whether an error may be thrown to the caller: no microtask is running. */
  throwsSynchronously = false;

  constructor(init: RunInit) {
    this.init = init;
    this.facts = init.info;
    this.nowMs = init.nowMs;
    this.payloadConverter = init.payloadConverter ?? defaultPayloadConverter;
    this.failureConverter = init.failureConverter ?? defaultFailureConverter;
    this.random = new RunRandom(init.seed);
  }

  /** Who owns payloads of this workflow. */
  get context(): WorkflowSerializationContext {
    return this.contextOf(this.facts.workflowId);
  }

  contextOf(workflowId: string): WorkflowSerializationContext {
    return { type: 'workflow', namespace: this.facts.namespace, workflowId };
  }

  /** What user code sees: as it is now, never to change. Made when somebody asks, which most runs never do. */
  get info(): WorkflowInfo {
    this.snapshot ??= Object.freeze({ ...this.facts });
    return this.snapshot;
  }

  changeInfo(change: Partial<WorkflowInfo>): void {
    Object.assign(this.facts, change);
    this.snapshot = undefined;
  }

  push(command: WorkflowCommand, completes = false): void {
    if (this.init.tracesCommands) command.issuedAt = issuingLine(new Error().stack);
    this.commands.push(command);
    if (completes) this.completed = true;
  }

  /** Wraps `next` in the interceptors; each `next` sees the randomness that was current when the chain was made. */
  intercept<I, M extends keyof I>(interceptors: I[], method: M, next: Next<I, M>): Next<I, M> {
    return interceptors.length === 0 ? next : composeInterceptors(interceptors, method, this.random.bind(next as never) as Next<I, M>);
  }

  hasFlag(flag: SdkFlag): boolean {
    if (this.knownFlags.has(flag.id)) return true;
    if (!this.facts.unsafe.isReplaying) {
      if (flag.default) this.knownFlags.add(flag.id);
      return flag.default;
    }
    return flag.alternative?.(this.facts, this.sdkVersion) ?? false;
  }

  // ---- conditions --------------------------------------------------------------------------------------------------

  /** Resolves the conditions that hold now, until none does any more. Returns how many did. */
  unblockConditions(): number {
    let unblocked = 0;
    for (;;) {
      this.throwTaskError();
      const before = unblocked;
      for (const [seq, { fn, resolve }] of this.conditions) {
        if (!fn()) continue;
        resolve();
        unblocked++;
        this.conditions.delete(seq);
      }
      if (unblocked === before) return unblocked;
    }
  }

  // ---- how it ends -------------------------------------------------------------------------------------------------

  errorToFailure(error: unknown): ProtoFailure {
    return this.failureConverter.errorToFailure(error, this.payloadConverter, this.context);
  }

  failureToError(failure: ProtoFailure, context: SerializationContext = this.context): Error {
    return this.failureConverter.failureToError(failure, this.payloadConverter, context);
  }

  /** An error that workflow code let go: it closes the run, or fails the task. */
  handleFailure(error: unknown): void {
    if (this.cancelled && isCancellation(error)) {
      this.push({ cancelWorkflowExecution: {} }, true);
    } else if (error instanceof ContinueAsNew) {
      this.push({ continueAsNewWorkflowExecution: error.command, eventGroupMarkers: error.eventGroupMarkers }, true);
    } else if (error instanceof TemporalFailure || this.isFailureClass(error)) {
      // A failed run does not complain about handlers that it cuts short.
      this.signalsInProgress.clear();
      this.updatesInProgress.clear();
      this.push({ failWorkflowExecution: { failure: this.errorToFailure(ensureTemporalFailure(error)) } }, true);
    } else {
      this.recordTaskError(error);
    }
  }

  recordTaskError(error: unknown): void {
    if (!this.hasTaskError) {
      this.taskError = error;
      this.hasTaskError = true;
    }
    if (this.throwsSynchronously) this.throwTaskError();
  }

  throwTaskError(): void {
    if (this.hasTaskError) throw this.taskError;
  }

  private isFailureClass(error: unknown): boolean {
    if (this.failureClasses?.some((errorClass) => errorClass === Error || error instanceof errorClass)) return true;
    const names = this.init.failureExceptionTypes ?? [];
    if (names.includes('Error')) return true;
    if (names.length === 0 || typeof error !== 'object' || error === null) return false;
    for (
      let ctor: unknown = error.constructor;
      typeof ctor === 'function' && ctor !== Function.prototype;
      ctor = Object.getPrototypeOf(ctor)
    ) {
      if (names.includes(ctor.name)) return true;
    }
    return false;
  }

  // ---- completions -------------------------------------------------------------------------------------------------

  /** Takes what waits under a number. */
  take(from: Map<number, Completion>, seq: number | null | undefined): Completion | undefined {
    const completion = from.get(seq ?? 0);
    from.delete(seq ?? 0);
    return completion;
  }

  /** The scope of the calling code. */
  get scope(): CancellationScope {
    return CancellationScope.current();
  }
}

/** The first line of a stack that is the user's. */
function issuingLine(stack: string | undefined): string | undefined {
  for (const line of (stack ?? '').split('\n').slice(1)) {
    if (/perdure-sandbox:|node:|<anonymous>\)?$/.test(line)) continue;
    return line.trim().replace(/^at (async )?/, '');
  }
  return undefined;
}
