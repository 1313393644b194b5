/** Clients that start workflows, signal and update them and wait for their results, and what must be true of all that in the end. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { enums, type temporal } from '../../server/core/api.js';
import { COMPLETED } from '../helpers/updates.js';
import type { Calls } from './calls.js';
import type { Checked } from './checker.js';
import { type ChaosWorker, digest, json, QUEUE, SIGNALS, UPDATE } from './worker.js';

interface Promised {
  readonly workflowId: string;
  readonly requestId: string;
  runId: string;
  /** Signals that were acknowledged. */
  readonly signals: string[];
  /** What the update gave, as its caller was told. */
  updated: unknown;
  result: { signals: string[]; lost: number } | undefined;
}

const startRequest = ({ workflowId, requestId }: Promised): object => ({
  workflowId,
  requestId,
  workflowType: { name: 'Chaos' },
  taskQueue: { name: QUEUE },
  workflowTaskTimeout: { seconds: 2 },
});

/** The one update that each workflow waits for. */
export const updateRequest = (workflowId: string, runId: string): object => ({
  workflowExecution: { workflowId, runId },
  waitPolicy: { lifecycleStage: COMPLETED },
  request: { meta: { updateId: UPDATE }, input: { name: UPDATE, args: json(workflowId) } },
});

type Started = temporal.api.workflowservice.v1.StartWorkflowExecutionResponse;
type Updated = temporal.api.workflowservice.v1.UpdateWorkflowExecutionResponse;
type History = temporal.api.workflowservice.v1.GetWorkflowExecutionHistoryResponse;

export class Load {
  readonly promised: Promised[] = [];
  /** What was answered wrongly while it went on. */
  readonly problems: string[] = [];
  slowestWorkflowMs = 0;

  constructor(private readonly calls: Calls) {}

  /** `clients` at a time, each one workflow after the other, until it is time to stop; then to the end of those under way. */
  async run(clients: number, goOn: () => boolean): Promise<void> {
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (goOn()) await this.one();
      }),
    );
  }

  private async one(): Promise<void> {
    const begun = performance.now();
    const workflow: Promised = {
      workflowId: `w-${this.promised.length}-${randomUUID().slice(0, 8)}`,
      requestId: randomUUID(),
      runId: '',
      signals: [],
      updated: undefined,
      result: undefined,
    };
    this.promised.push(workflow);
    const started = await this.calls.surely<Started>('StartWorkflowExecution', startRequest(workflow));
    if (!started.response) return void this.problems.push(`${workflow.workflowId} was not started: ${started.code} ${started.message}`);
    workflow.runId = started.response.runId;
    for (const signalName of SIGNALS) await this.signal(workflow, signalName);
    workflow.updated = await this.update(workflow);
    await this.result(workflow);
    this.slowestWorkflowMs = Math.max(this.slowestWorkflowMs, performance.now() - begun);
  }

  private async signal(workflow: Promised, signalName: string): Promise<void> {
    const request = {
      workflowExecution: { workflowId: workflow.workflowId },
      signalName,
      requestId: randomUUID(),
      input: json(signalName),
    };
    const { code, message } = await this.calls.surely('SignalWorkflowExecution', request);
    if (code === 'OK') workflow.signals.push(signalName);
    else this.problems.push(`${workflow.workflowId} was not signalled: ${code} ${message}`);
  }

  /** Sends the update until there is an outcome; the same id is the same update, however often it is sent. */
  private async update({ workflowId, runId }: Promised): Promise<unknown> {
    for (;;) {
      const { response, code, message } = await this.calls.surely<Updated>(
        'UpdateWorkflowExecution',
        updateRequest(workflowId, runId),
        6_000,
      );
      if (!response) return void this.problems.push(`${workflowId} was not updated: ${code} ${message}`);
      const data = response.outcome?.success?.payloads?.[0]?.data;
      if (data) return JSON.parse(Buffer.from(data).toString());
      if (response.outcome) return void this.problems.push(`the update of ${workflowId} failed: ${JSON.stringify(response.outcome)}`);
    }
  }

  private async result(workflow: Promised): Promise<void> {
    const request = {
      execution: { workflowId: workflow.workflowId, runId: workflow.runId },
      waitNewEvent: true,
      historyEventFilterType: enums.HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
    };
    for (;;) {
      const { response, code, message } = await this.calls.surely<History>('GetWorkflowExecutionHistory', request, 6_000);
      if (!response) return void this.problems.push(`${workflow.workflowId} has no result: ${code} ${message}`);
      const end = response.history?.events?.[0];
      const data = end?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]?.data;
      if (data) workflow.result = JSON.parse(Buffer.from(data).toString()) as Promised['result'];
      if (data) return;
      if (end) return void this.problems.push(`${workflow.workflowId} ended otherwise: ${JSON.stringify(end)}`);
      await sleep(10);
    }
  }

  /** Starts and updates each again as if the answer had been lost: the same request gives the same run, the same update the same outcome. */
  async askAgain(): Promise<void> {
    for (const workflow of this.promised) {
      const { response, code } = await this.calls.surely<Started>('StartWorkflowExecution', startRequest(workflow));
      if (response?.runId !== workflow.runId)
        this.problems.push(
          `${workflow.workflowId} was started as ${workflow.runId}; the same request again gives ${response?.runId ?? code}`,
        );
      const updated = await this.update(workflow);
      if (!isDeepStrictEqual(updated, workflow.updated))
        this.problems.push(`${workflow.workflowId}: the update gave ${workflow.updated}; the same again gives ${updated}`);
    }
  }

  /** What was acknowledged and is not there, or is there twice. */
  losses(checked: Checked, worker: ChaosWorker): string[] {
    const problems = [...this.problems, ...worker.changed.map((what) => `a history changed after it was read: ${what}`)];
    const runs = new Map(checked.runs.map((run) => [run.runId, run]));
    for (const { workflowId, runId, signals, result } of this.promised) {
      const run = runs.get(runId);
      if (!run) problems.push(`${workflowId}: the run ${runId} that was acknowledged is not there`);
      const stored = (run?.events ?? []).flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []);
      if (stored.join() !== signals.join()) problems.push(`${workflowId}: signals acknowledged: ${signals}, in its history: ${stored}`);
      const accepted = (run?.events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
      if (accepted !== 1) problems.push(`${workflowId}: its update was accepted ${accepted} times`);
      if (!result) problems.push(`${workflowId} never gave its result`);
    }
    const mine = new Set(this.promised.flatMap(({ workflowId }) => [workflowId, `${workflowId}-child`]));
    for (const { workflowId, runId, open } of checked.runs) {
      if (!mine.delete(workflowId)) problems.push(`${workflowId} ran more than once: ${runId}`);
      if (open) problems.push(`${workflowId} ${runId} is still open`);
    }
    for (const [runId, digests] of worker.seen) {
      const events = runs.get(runId)?.events ?? [];
      const other = digests.findIndex((before, i) => !events[i] || digest(events[i]) !== before);
      if (other >= 0) problems.push(`${runId}: event ${other + 1} is another than the one that was read before`);
    }
    for (const [attempt, times] of worker.starts) if (times > 1) problems.push(`${attempt} was started ${times} times`);
    for (const attempt of worker.starts.keys())
      if (attempt.includes('/single/') && !attempt.endsWith('/1')) problems.push(`${attempt}: an activity with one attempt had another`);
    return problems;
  }

  get results(): number {
    return this.promised.filter(({ result }) => result).length;
  }
}
