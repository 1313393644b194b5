/** Plays operations to an engine and to the model side by side, and says where they part. An operation that makes no sense at its moment does nothing, so that any story can be shortened. */
import fc from 'fast-check';
import { enums, type HistoryEvent } from '../../server/core/api.js';
import { command, type EngineNode, json, type WorkflowTask } from '../helpers/engine-node.js';
import { acceptAll } from '../helpers/updates.js';
import { type Answer, Model, ModelRun } from './model.js';

export type Operation = Step & {
  /** The node that is asked. */
  readonly at?: number;
};

type Step =
  | { readonly op: 'start' | 'signal' | 'cancel'; readonly request: number }
  | { readonly op: 'update'; readonly id: number }
  | { readonly op: 'pause' | 'unpause' | 'terminate' | 'poll' | 'poll-activity' | 'reset' | 'wait' }
  | { readonly op: 'answer'; readonly token: number; readonly activity: boolean; readonly timer: boolean; readonly complete: boolean }
  | { readonly op: 'fail-task' | 'complete-activity' | 'fail-activity' | 'heartbeat'; readonly token: number };

const few = fc.nat({ max: 2 });
/** Counted from the newest: 0 is the last that was handed out, others are late or stale. */
const token = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 4 }) });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('start' as const), request: few }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constantFrom('signal' as const), request: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('cancel' as const), request: few }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('update' as const), id: few }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constantFrom('poll' as const, 'poll-activity' as const, 'wait' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('terminate' as const, 'reset' as const, 'pause' as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('unpause' as const) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('answer' as const), token, activity: fc.boolean(), timer: fc.boolean(), complete: fc.integer({ min: 0, max: 5 }).map((n) => n === 5) }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom('fail-task' as const, 'complete-activity' as const, 'fail-activity' as const, 'heartbeat' as const), token }) },
);

export const operation: fc.Arbitrary<Operation> = fc.tuple(step, fc.nat({ max: 1 })).map(([what, at]) => ({ ...what, at }));

const WAIT_MS = 1_000;
const TIMER_S = 2;
/** Beyond this many failures in a row a workflow task waits before it comes again. */
const FAILURES_MAX = 2;

export class Story {
  readonly model = new Model();
  private readonly tasks: { run: ModelRun; task: WorkflowTask }[] = [];
  private readonly activities: { run: ModelRun; id: string; token: Uint8Array }[] = [];
  private readonly updates: Promise<unknown>[] = [];
  private count = 0;

  private node: EngineNode;

  /** @param nodes one, or several on one database that share a clock */
  constructor(
    private readonly nodes: readonly EngineNode[],
    readonly workflowId: string,
  ) {
    this.node = nodes[0]!;
  }

  async play(operations: readonly Operation[]): Promise<void> {
    for (const [index, operation] of operations.entries()) {
      this.node = this.nodes[(operation.at ?? 0) % this.nodes.length]!;
      try {
        await this.perform(operation);
      } catch (error) {
        throw new Error(`operation ${index + 1}, ${JSON.stringify(operation)}: ${(error as Error).message}`, { cause: error });
      }
    }
    if (this.model.open) await this.perform({ op: 'terminate' });
    // several nodes tell each other by notifications, which nobody hears here
    if (this.nodes.length === 1) await Promise.allSettled(this.updates);
    await this.compare();
  }

  private async perform(o: Operation): Promise<void> {
    switch (o.op) {
      case 'start':
        return this.start(`start-${o.request}`);
      case 'signal':
        return this.signal(`signal-${o.request}`);
      case 'cancel':
        return this.cancel(`cancel-${o.request}`);
      case 'update':
        return this.update(`update-${o.id}`);
      case 'terminate':
        return this.terminate();
      case 'poll':
        return this.poll();
      case 'poll-activity':
        return this.pollActivity();
      case 'answer':
        return this.answer(o);
      case 'fail-task':
        return this.failTask(o.token);
      case 'complete-activity':
      case 'fail-activity':
      case 'heartbeat':
        return this.answerActivity(o.op, o.token);
      case 'pause':
        return this.pause();
      case 'unpause':
        return this.unpause();
      case 'reset':
        return this.reset();
      case 'wait':
        return this.wait();
    }
  }

  /** Calls the engine, and compares its answer with what the model says. */
  private async call<R>(expected: Answer, method: string, request: object): Promise<R | undefined> {
    let got: string = 'OK';
    let answer: R | undefined;
    try {
      answer = (await this.node.rpc(method, request)) as R;
    } catch (error) {
      got = (error as { code?: string }).code ?? String(error);
    }
    if (got !== expected) throw new Error(`${method} was answered with ${got}, expected was ${expected}`);
    return answer;
  }

  private get execution(): object {
    return { workflowExecution: { workflowId: this.workflowId } };
  }

  private async start(requestId: string): Promise<void> {
    const { newest } = this.model;
    const begun = this.model.begunBy(requestId);
    const again = begun !== undefined;
    const expected = again || !newest?.open ? 'OK' : 'ALREADY_EXISTS';
    const request = { workflowId: this.workflowId, requestId, workflowType: { name: 'Test' }, taskQueue: { name: this.workflowId }, workflowTaskTimeout: { seconds: 120 } };
    const answer = await this.call<{ runId: string }>(expected, 'StartWorkflowExecution', request);
    if (!answer) return;
    if (again && answer.runId !== begun.runId) throw new Error(`the same request gave the run ${answer.runId}, before it was ${begun.runId}`);
    if (!again) this.model.runs.push(new ModelRun(answer.runId, requestId));
  }

  private async signal(requestId: string): Promise<void> {
    const run = this.model.open;
    const again = this.model.taken(requestId); // also a run that has ended meanwhile knows what it took
    const refused = run?.refuses === true && !again;
    await this.call(refused ? 'RESOURCE_EXHAUSTED' : run || again ? 'OK' : 'NOT_FOUND', 'SignalWorkflowExecution', { ...this.execution, signalName: requestId, requestId, input: json(requestId) });
    if (!run || again || refused) return;
    run.requests.add(requestId);
    run.signals.push(requestId);
    run.news();
  }

  private async cancel(requestId: string): Promise<void> {
    const run = this.model.open;
    if (!run && this.model.newest) return; // a closed run takes a cancel request without doing anything
    await this.call(run ? 'OK' : 'NOT_FOUND', 'RequestCancelWorkflowExecution', { ...this.execution, requestId });
    if (!run || run.cancelRequested) return;
    run.cancelRequested = true;
    run.news();
  }

  private async update(updateId: string): Promise<void> {
    const run = this.model.open;
    if (!run || run.wasReset) return;
    const answer = this.node.rpc('UpdateWorkflowExecution', {
      ...this.execution,
      waitPolicy: { lifecycleStage: enums.UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED },
      request: { meta: { updateId, identity: 'caller' }, input: { name: 'change' } },
    });
    answer.catch(() => undefined);
    this.updates.push(answer);
    if (run.updates.has(updateId)) return;
    if (run.paused || run.refuses) return expectRefused(answer, run.paused ? 'FAILED_PRECONDITION' : 'RESOURCE_EXHAUSTED');
    await this.admitted(run, updateId);
    run.updates.set(updateId, false);
    run.updated();
  }

  private async admitted(run: ModelRun, updateId: string): Promise<void> {
    for (;;) {
      const state = (await this.node.engine.runs.load(run.runId))!.state;
      const cached = this.node.engine.cache.take(run.runId);
      if (cached) this.node.engine.cache.put(cached);
      if ([state, cached?.state].some((s) => s?.updatesAdmitted.some((u) => u.updateId === updateId))) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private async terminate(): Promise<void> {
    const run = this.model.open;
    await this.call(run ? 'OK' : 'NOT_FOUND', 'TerminateWorkflowExecution', { ...this.execution, reason: 'the story says so' });
    run?.end('TERMINATED');
  }

  private async poll(): Promise<void> {
    const run = this.model.open;
    if (!run?.waiting) return;
    const task = await this.node.poll(this.workflowId);
    if (task.workflowExecution?.runId !== run.runId) throw new Error(`the task is one of run ${task.workflowExecution?.runId}, expected was ${run.runId}`);
    run.waiting = false;
    run.task = { token: this.tasks.length, news: false, updated: false };
    this.tasks.push({ run, task });
  }

  private handedOut<T>(list: readonly T[], back: number): { index: number; item: T } | undefined {
    const index = list.length - 1 - back;
    const item = list[index];
    return item === undefined ? undefined : { index, item };
  }

  private async answer(o: Extract<Step, { op: 'answer' }>): Promise<void> {
    const found = this.handedOut(this.tasks, o.token);
    if (!found) return;
    const { run, task } = found.item;
    const valid = run.open && run.task?.token === found.index;
    const n = ++this.count;
    const [commands, { messages }] = acceptAll(task);
    const updated = task.messages.map((m) => m.protocolInstanceId ?? '');
    if (o.activity) commands.push(command.activity(`a-${n}`, `${this.workflowId}-activities`));
    if (o.timer) commands.push(command.timer(`t-${n}`, TIMER_S));
    if (o.complete) commands.push(command.complete());
    const unhandled = valid && o.complete && run.task!.news;
    await this.call(unhandled ? 'INVALID_ARGUMENT' : valid ? 'OK' : 'NOT_FOUND', 'RespondWorkflowTaskCompleted', { taskToken: task.taskToken, commands, messages, namespace: '' });
    if (!valid) return;
    const { news, updated: later } = run.task!;
    run.task = undefined;
    run.closing = unhandled;
    if (unhandled) {
      run.waiting = !run.paused;
      return;
    }
    run.failures = 0;
    run.answered = true;
    run.waiting = (news || later) && !run.paused;
    for (const id of updated) run.updates.set(id, true);
    if (o.activity) run.activities.push({ id: `a-${n}`, stage: 'waits' });
    if (o.timer) run.timers.push({ id: `t-${n}`, dueMs: this.node.clock.ms + TIMER_S * 1000, fired: false });
    if (o.complete) run.end('COMPLETED');
  }

  private async failTask(back: number): Promise<void> {
    const found = this.handedOut(this.tasks, back);
    if (!found) return;
    const { run, task } = found.item;
    const valid = run.open && run.task?.token === found.index;
    if (valid && run.failures >= FAILURES_MAX) return;
    await this.call(valid ? 'OK' : 'NOT_FOUND', 'RespondWorkflowTaskFailed', { taskToken: task.taskToken, cause: enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE, failure: { message: 'bad' }, namespace: '' });
    if (!valid) return;
    run.failures++;
    run.closing = false;
    run.task = undefined;
    run.waiting = !run.paused;
  }

  private async pollActivity(): Promise<void> {
    const run = this.model.open;
    const activity = run?.activities.find(({ stage }) => stage === 'waits');
    if (!run || !activity || run.paused) return;
    const task = await this.node.rpc('PollActivityTaskQueue', { taskQueue: { name: `${this.workflowId}-activities` } });
    const known = run.activities.find(({ id, stage }) => id === task.activityId && stage === 'waits');
    if (!known || task.workflowExecution.runId !== run.runId) throw new Error(`the activity task is ${task.workflowExecution?.runId} ${task.activityId}, which does not wait`);
    known.stage = 'started';
    this.activities.push({ run, id: known.id, token: task.taskToken });
  }

  private async answerActivity(how: 'complete-activity' | 'fail-activity' | 'heartbeat', back: number): Promise<void> {
    const found = this.handedOut(this.activities, back);
    if (!found) return;
    const { run, id, token: taskToken } = found.item;
    const activity = run.activities.find((a) => a.id === id)!;
    const expected = run.open && activity.stage === 'started' ? 'OK' : 'NOT_FOUND';
    if (how === 'heartbeat') return void (await this.call(expected, 'RecordActivityTaskHeartbeat', { taskToken, namespace: '' }));
    const failure = { message: 'no', applicationFailureInfo: { type: 'No', nonRetryable: true } };
    if (how === 'complete-activity') await this.call(expected, 'RespondActivityTaskCompleted', { taskToken, result: json(id), namespace: '' });
    else await this.call(expected, 'RespondActivityTaskFailed', { taskToken, failure, namespace: '' });
    if (expected !== 'OK') return;
    activity.stage = 'over';
    run.news();
  }

  private async pause(): Promise<void> {
    const run = this.model.open;
    const expected = !run ? 'NOT_FOUND' : run.paused ? 'FAILED_PRECONDITION' : 'OK';
    await this.call(expected, 'PauseWorkflowExecution', { workflowId: this.workflowId, requestId: `pause-${++this.count}` });
    if (expected === 'OK') run!.pause();
  }

  private async unpause(): Promise<void> {
    const run = this.model.open;
    const expected = !run ? 'NOT_FOUND' : run.paused ? 'OK' : 'FAILED_PRECONDITION';
    await this.call(expected, 'UnpauseWorkflowExecution', { workflowId: this.workflowId });
    if (expected === 'OK') run!.unpause();
  }

  /** Back to the first workflow task that was answered: what was sent to the run since is sent to the new one. */
  private async reset(): Promise<void> {
    const run = this.model.newest;
    if (!run?.answered || run.updates.size > 0) return;
    const events = await this.node.events(this.workflowId, run.runId);
    const at = events.find((event) => event.workflowTaskCompletedEventAttributes)!;
    const requestId = `reset-${++this.count}`;
    const request = { workflowExecution: { workflowId: this.workflowId, runId: run.runId }, workflowTaskFinishEventId: at.eventId, reason: 'the story says so', requestId };
    const answer = await this.call<{ runId: string }>('OK', 'ResetWorkflowExecution', request);
    if (run.open) run.end('TERMINATED');
    const next = new ModelRun(answer!.runId, run.requestId); // it stands for the run that was asked for
    next.wasReset = true;
    next.signals.push(...run.signals);
    for (const id of run.requests) next.requests.add(id);
    this.model.runs.push(next);
  }

  private async wait(): Promise<void> {
    await this.node.forward(WAIT_MS);
    const run = this.model.open;
    for (const timer of run?.timers ?? []) {
      if (timer.fired || timer.dueMs > this.node.clock.ms) continue;
      timer.fired = true;
      run!.news();
    }
  }

  private async compare(): Promise<void> {
    for (const run of this.model.runs) {
      const events = await this.node.events(this.workflowId, run.runId);
      const expect = (what: string, expected: unknown, got: unknown): void => {
        if (JSON.stringify(expected) !== JSON.stringify(got)) throw new Error(`${what} of run ${this.model.runs.indexOf(run) + 1}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
      };
      expect('the ids of events', events.map((_, i) => i + 1), events.map((e) => Number(e.eventId)));
      expect('the signals', run.signals, events.flatMap((e) => e.workflowExecutionSignaledEventAttributes?.signalName ?? []));
      expect('the end', run.ended, endOf(events));
      if (run.wasReset) continue;
      expect('cancel requests', run.cancelRequested ? 1 : 0, events.filter((e) => e.workflowExecutionCancelRequestedEventAttributes).length);
      expect('ends of activities', run.activities.filter((a) => a.stage === 'over').length, events.filter((e) => e.activityTaskCompletedEventAttributes ?? e.activityTaskFailedEventAttributes).length);
      expect('fired timers', run.timers.filter((t) => t.fired).map((t) => t.id), events.flatMap((e) => e.timerFiredEventAttributes?.timerId ?? []));
      const completed = events.flatMap((e) => e.workflowExecutionUpdateCompletedEventAttributes?.meta?.updateId ?? []);
      expect('completed updates', [...run.updates].filter(([, done]) => done).map(([id]) => id).sort(), completed.sort());
    }
  }
}

async function expectRefused(answer: Promise<unknown>, expected: Answer): Promise<void> {
  const got = await answer.then(
    () => 'OK',
    (error: { code?: string }) => error.code,
  );
  if (got !== expected) throw new Error(`UpdateWorkflowExecution was answered with ${got}, expected was ${expected}`);
}

const endOf = (events: readonly HistoryEvent[]): string =>
  enums.EventType[events.at(-1)!.eventType!]!.replace('EVENT_TYPE_WORKFLOW_EXECUTION_', '');
