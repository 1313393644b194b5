/**
 * The replay machine of one run: history in, activations out; commands in, matched against history or sent. Pure: it knows neither
 * clock nor network nor workflow code.
 */
import type { HistoryEvent } from '../definitions/api.js';
import { applyEvent, type EventContext } from './apply-event.js';
import { handleCommands } from './apply-commands.js';
import { eventName, EventType, idOf, isCommandEvent } from './events.js';
import type { HistoryWindow, Piece } from './history-window.js';
import { isLocalActivityMarker, type LocalActivityMachine, type LocalActivityOutcome, readMarker } from './kinds/local-activity.js';
import { type KnownPatch, patchOf } from './kinds/marker.js';
import type { StartInfo } from './kinds/run.js';
import { type MessageSink, type ProtocolMessage, UpdateMachine, type UpdateRequest, updateRequestInHistory } from './kinds/update.js';
import { WorkflowTaskKind } from './kinds/workflow-task.js';
import { LocalActivityBook, type LocalActivityRequests } from './local-activity-book.js';
import type { Machine, MachineOwner } from './machine.js';
import { ReplayError } from './nondeterminism.js';
import type { Activation, ActivationResult, ApiCommand, Job } from './protocol.js';
import { SdkFlags } from './sdk-flags.js';
import { sortJobs } from './sort-jobs.js';

export interface RunIdentity {
  workflowId: string;
  runId: string;
  namespace: string;
  taskQueue: string;
}

export interface QueuedCommand {
  machine: Machine;
  command: ApiCommand;
}

export interface DeploymentVersion {
  deploymentName: string;
  buildId: string;
}

/** Machines by what the code calls them. */
export class Machines {
  readonly timers = new Map<number, Machine>();
  readonly activities = new Map<number, Machine>();
  readonly localActivities = new Map<number, LocalActivityMachine>();
  readonly children = new Map<number, Machine>();
  readonly signals = new Map<number, Machine>();
  readonly updates = new Map<string, UpdateMachine>();
  /** By the id of the event that their command became. */
  readonly byEvent = new Map<number, Machine>();
}

export class RunMachine implements MachineOwner, MessageSink {
  readonly workflowId: string;
  readonly runId: string;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly flags = new SdkFlags();
  readonly machines = new Machines();
  readonly localActivities = new LocalActivityBook();
  readonly patches = new Map<string, KnownPatch>();
  readonly workflowTask = new WorkflowTaskKind(this);
  replaying: boolean;
  /** Events up to here are applied. */
  lastProcessedEventId = 0;
  /** The WorkflowTaskStarted event whose task was applied last. */
  currentStartedEventId = 0;
  /** The WorkflowTaskStarted event at the end of the piece being applied. */
  nextStartedEventId = 0;
  /** The workflow's clock, milliseconds since 1970. */
  timeMs: number | undefined;
  sawFinalEvent = false;
  /** The code asked to close the run. */
  closing = false;
  start: StartInfo | undefined;
  /** What the last WorkflowTaskStarted says about the history. */
  taskInfo: Partial<Activation> = {};
  /** The version of the worker that executed the present task. */
  taskVersion: DeploymentVersion | undefined;
  /** Commands that are sent or to be sent and whose events are still to come, in order. */
  commands: QueuedCommand[] = [];
  #freshCommands: QueuedCommand[] = [];
  #jobs: Job[] = [];
  #outbox: ProtocolMessage[] = [];
  #requests: UpdateRequest[] = [];
  #window: HistoryWindow;

  constructor(
    identity: RunIdentity,
    window: HistoryWindow,
    requests: UpdateRequest[],
    private readonly ownVersion: DeploymentVersion | undefined,
    private readonly now: () => number,
  ) {
    this.workflowId = identity.workflowId;
    this.runId = identity.runId;
    this.namespace = identity.namespace;
    this.taskQueue = identity.taskQueue;
    this.#window = window;
    this.#requests = requests;
    this.replaying = window.previousStartedEventId > 0;
    this.#learnFromCompleted(window.peekCompleted(0));
  }

  // ---- what kinds may do -------------------------------------------------------------------------------------------

  pushJob(job: Job): void {
    this.#jobs.push(job);
  }

  issue(machine: Machine, command: ApiCommand): void {
    this.#freshCommands.push({ machine, command });
  }

  pushMessage(message: ProtocolMessage): void {
    this.#outbox.push(message);
  }

  advanceTime(timeMs: number): void {
    if (this.timeMs === undefined || this.timeMs < timeMs) this.timeMs = timeMs;
  }

  requestLocalActivity(machine: LocalActivityMachine): void {
    this.localActivities.request(machine);
  }

  cancelLocalActivity(machine: LocalActivityMachine): void {
    this.localActivities.cancel(machine);
  }

  forgetLocalActivity(seq: number): void {
    this.localActivities.forget(seq);
  }

  nowMs(): number {
    return this.now();
  }

  // ---- what the driver does ----------------------------------------------------------------------------------------

  /** A new task for a run that is up to date. */
  newTask(window: HistoryWindow, requests: UpdateRequest[]): void {
    this.#window = window;
    this.#requests = requests;
    this.replaying = window.previousStartedEventId > 0;
  }

  get window(): HistoryWindow {
    return this.#window;
  }

  /** Whether the next piece can be applied, or a page must be fetched first. */
  get canAdvance(): boolean {
    return this.sawFinalEvent || this.#window.canTake(this.currentStartedEventId);
  }

  /** A run that closes has no more to do: a second closing command, or any behind the first, would be refused. */
  get hasJobs(): boolean {
    return this.#jobs.length > 0 && !this.closing;
  }

  /** Applies the next piece of history. Returns how many events it had; 0 means that all is applied. */
  advance(): number {
    if (this.sawFinalEvent) {
      this.replaying = false;
      return 0;
    }
    const from = this.currentStartedEventId;
    const piece = this.#window.take(from);
    const events = piece ? piece.events.filter((event) => idOf(event) > this.lastProcessedEventId) : [];
    if (!piece || events.length === 0) this.replaying = false;
    else this.#applyPiece({ events, last: piece.last });
    this.#readAhead(from);
    return events.length;
  }

  /** The next activation; its jobs are gone from the machine. */
  takeActivation(): Activation {
    const jobs = sortJobs(this.#jobs);
    this.#jobs = [];
    if (!this.replaying) this.taskVersion = this.ownVersion;
    return this.activation(jobs, this.replaying);
  }

  /** An activation with the present state of the run. */
  activation(jobs: Job[], isReplaying: boolean): Activation {
    return {
      runId: this.runId,
      jobs,
      isReplaying,
      historyLength: this.lastProcessedEventId,
      availableInternalFlags: this.flags.available,
      lastSdkVersion: this.flags.lastSdkVersion,
      deploymentVersionForCurrentTask: this.taskVersion,
      ...this.taskInfo,
    };
  }

  /** What the workflow says about moving to other versions of the worker. */
  versioningBehavior: number | undefined;

  /** Takes what an activation of workflow code produced. */
  completeActivation(result: ActivationResult): void {
    this.versioningBehavior = result.versioningBehavior ?? this.versioningBehavior;
    this.flags.addUsedByWorkflow(result.usedFlags);
    handleCommands(this, result.commands);
    this.localActivities.applyMarkers((seq) => this.machines.localActivities.get(seq));
    this.#queueFreshCommands();
  }

  /** A local activity ended. Returns whether that still matters. */
  localActivityDone(seq: number, outcome: LocalActivityOutcome, runtimeMs: number): boolean {
    const matters = this.machines.localActivities.get(seq)?.executed(outcome, runtimeMs) ?? false;
    this.localActivities.forget(seq);
    return matters;
  }

  takeLocalActivityRequests(): LocalActivityRequests {
    return this.localActivities.take();
  }

  /** The commands to answer the task with. They stay queued until their events come. */
  commandsToSend(): ApiCommand[] {
    this.#queueFreshCommands();
    return this.commands.filter(({ machine }) => !machine.done).map(({ command }) => command);
  }

  takeMessages(): ProtocolMessage[] {
    const messages = this.#outbox;
    this.#outbox = [];
    return messages;
  }

  /** The server dropped the task just answered, because everything in it was rejected: it never happened. */
  dropSpeculativeTask(resetStartedEventId: number): void {
    this.currentStartedEventId = resetStartedEventId;
    this.lastProcessedEventId -= 2;
  }

  // ---- applying history --------------------------------------------------------------------------------------------

  #applyPiece(piece: Piece): void {
    const { events } = piece;
    this.#learnFromPiece(events);
    const lastEvent = events.at(-1)!;
    if (lastEvent.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED) this.nextStartedEventId = idOf(lastEvent);
    const context: EventContext = { lastTask: piece.last, next: undefined };
    let skipNext = false;
    for (let i = 0; i < events.length; i++) {
      const event = events[i]!;
      const id = idOf(event);
      if (id !== this.lastProcessedEventId + 1) {
        throw new ReplayError(
          `History is out of order: expected event ${this.lastProcessedEventId + 1}, got ${id} (${eventName(event.eventType)})`,
        );
      }
      context.next = events[i + 1];
      this.#noticeEndOfReplay(event, id, piece.last);
      if (!skipNext && this.#admitUpdate(event, id)) skipNext = true;
      this.#deliverRequests(id - 1);
      skipNext = skipNext ? false : applyEvent(this, event, context) === 'skip next';
      this.lastProcessedEventId = id;
    }
  }

  /** Replay is over with the first event that is not of our own making and behind the last task that was completed. */
  #noticeEndOfReplay(event: HistoryEvent, id: number, last: boolean): void {
    if (!this.replaying || !last || id <= this.#window.previousStartedEventId) return;
    if (event.eventType !== EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED && !isCommandEvent(event)) this.replaying = false;
  }

  /** A durably admitted update stands in history instead of riding with the task. */
  #admitUpdate(event: HistoryEvent, id: number): boolean {
    if (!event.workflowExecutionUpdateAdmittedEventAttributes) return false;
    const request = updateRequestInHistory(event, id);
    if (this.replaying) this.#admitted.set(request.instanceId, request);
    else this.#requests.push(request);
    return true;
  }

  readonly #admitted = new Map<string, UpdateRequest>();

  #deliverRequests(upToEventId: number): void {
    if (this.#requests.length === 0) return;
    const due = this.#requests.filter(({ sequencingEventId }) => sequencingEventId <= upToEventId);
    this.#requests = this.#requests.filter(({ sequencingEventId }) => sequencingEventId > upToEventId);
    for (const request of due) this.#startUpdate(request);
  }

  #startUpdate(request: UpdateRequest): void {
    new UpdateMachine(this, this, request).keepIn(this.machines.updates as unknown as Map<number | string, Machine>, request.instanceId);
  }

  /**
   * Patches, local activities and updates are decided inside a task, and their events come only behind it. Replay must know them
   * before it runs the code of that task.
   */
  #readAhead(fromStartedEventId: number): void {
    const ahead = this.#window.peek(fromStartedEventId);
    const updates: HistoryEvent[] = [];
    for (const event of ahead) {
      if (event.workflowExecutionUpdateAcceptedEventAttributes) updates.push(event);
      if (!event.markerRecordedEventAttributes) continue;
      const patch = patchOf(event);
      if (patch) {
        this.patches.set(patch.id, { issued: false });
        this.pushJob({ notifyHasPatch: { patchId: patch.id } });
      } else if (isLocalActivityMarker(event)) {
        const { seq, outcome } = readMarker(event);
        if (this.machines.localActivities.get(seq)?.awaitsMarker === false) continue;
        this.localActivities.addMarker(seq, outcome);
        this.localActivities.applyMarkers((wanted) => this.machines.localActivities.get(wanted));
      }
    }
    for (const event of updates) {
      const id = event.workflowExecutionUpdateAcceptedEventAttributes!.protocolInstanceId ?? '';
      const admitted = this.#admitted.get(id);
      this.#admitted.delete(id);
      this.#startUpdate(admitted ?? updateRequestInHistory(event, idOf(event)));
    }
  }

  #learnFromPiece(events: readonly HistoryEvent[]): void {
    for (const event of events) this.#learnFromCompleted(event);
    // What the task at the end of this piece will record holds already while its code runs.
    this.#learnFromCompleted(this.#window.peekCompleted(idOf(events.at(-1)!)));
  }

  #learnFromCompleted(event: HistoryEvent | undefined): void {
    const completed = event?.workflowTaskCompletedEventAttributes;
    if (!completed) return;
    this.flags.addFromCompleted(completed);
    const deployment = completed.deploymentVersion;
    const buildId = deployment?.buildId || completed.workerVersion?.buildId || '';
    const deploymentName = deployment?.deploymentName || completed.workerDeploymentName || '';
    if (buildId || deploymentName) this.taskVersion = { deploymentName, buildId };
  }

  #queueFreshCommands(): void {
    this.commands = this.commands.filter(({ machine }) => !machine.withdrawn);
    const fresh = this.#freshCommands;
    this.#freshCommands = [];
    for (const queued of fresh) {
      if (queued.machine.withdrawn) continue;
      queued.machine.commandQueued(queued.command);
      this.commands.push(queued);
    }
  }
}
