/** From events to lines for people: which step, and what came of it. */
import { defaultPayloadConverter } from '@perdure/sdk';
import { activityOutcome } from './activity-outcome.js';
import type { HistoryEvent } from './follow-run.js';

export interface StepLine {
  readonly at: Date;
  readonly step: string;
  readonly outcome: string;
}

/** How far the run is, besides its lines. */
export interface Progress {
  /** The activity that is being worked on. */
  activity?: string;
  /** A person is to decide. */
  waitsForPerson: boolean;
}

type Payloads = { payloads?: Parameters<typeof defaultPayloadConverter.fromPayload>[0][] | null } | null | undefined;

const value = (payloads: Payloads, index = 0): unknown => {
  const payload = payloads?.payloads?.[index];
  return payload ? defaultPayloadConverter.fromPayload(payload) : undefined;
};

const STEP_NAMES: Readonly<Record<string, string>> = {
  loadCase: 'hydrate', askModel: 'plan', checkToolCall: 'check', runQuery: 'query', validateProposal: 'validate', refund: 'refund', closeDispute: 'close',
};

/** A name for an activity that is not done yet, or failed. */
export const stepName = (activity: string): string => STEP_NAMES[activity] ?? activity;

interface Scheduled {
  type: string;
  input: unknown;
  attempt: number;
}

export class StepLines {
  readonly progress: Progress = { waitsForPerson: false };
  private readonly activities = new Map<string, Scheduled>();

  /** The lines of one event: mostly none or one. */
  of(event: HistoryEvent): StepLine[] {
    const at = new Date(Number(event.eventTime?.seconds ?? 0) * 1000 + (event.eventTime?.nanos ?? 0) / 1e6);
    const said = this.activity(event) ?? this.approval(event) ?? this.run(event);
    return said ? [{ at, step: said[0], outcome: said[1] }] : [];
  }

  private activity(event: HistoryEvent): [string, string] | undefined {
    const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started, activityTaskCompletedEventAttributes: completed } = event;
    if (scheduled) {
      const type = scheduled.activityType?.name ?? '';
      this.activities.set(String(event.eventId), { type, input: value(scheduled.input), attempt: 1 });
      this.progress.activity = type;
      return undefined;
    }
    if (started) {
      const activity = this.activities.get(String(started.scheduledEventId));
      if (activity) activity.attempt = started.attempt ?? 1;
      return undefined;
    }
    if (completed) {
      const { type, input, attempt } = this.take(completed.scheduledEventId);
      const [step, outcome] = activityOutcome(type, input, value(completed.result));
      return [step, attempt > 1 ? `${outcome} (attempt ${attempt})` : outcome];
    }
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (!failed) return undefined;
    return [stepName(this.take(failed.scheduledEventId).type), `failed: ${failed.failure?.message ?? 'it did not say why'}`];
  }

  private take(scheduledEventId: unknown): Scheduled {
    const key = String(scheduledEventId);
    const activity = this.activities.get(key) ?? { type: 'activity', input: undefined, attempt: 1 };
    this.activities.delete(key);
    this.progress.activity = [...this.activities.values()].at(-1)?.type;
    return activity;
  }

  private approval(event: HistoryEvent): [string, string] | undefined {
    const marker = event.markerRecordedEventAttributes;
    if (marker?.markerName === 'perdure.approval') {
      const { what, from, until } = value(marker.details?.['request']) as { what: string; from?: string; until?: string };
      this.progress.waitsForPerson = true;
      return ['approval', `${what} (asked of ${from ?? 'anybody'}${until ? `, until ${new Date(until).toLocaleString('sv-SE')}` : ''})`];
    }
    if (marker?.markerName === 'perdure.approval.closed') {
      this.progress.waitsForPerson = false;
      return ['approval', 'nobody decided in time'];
    }
    const signal = event.workflowExecutionSignaledEventAttributes;
    if (signal?.signalName !== 'perdure.approval.decision') return undefined;
    const { decision, by, reason } = value(signal.input) as { decision: string; by?: string; reason?: string };
    this.progress.waitsForPerson = false;
    return ['approval', `${decision} by ${by || signal.identity}${reason ? `: "${reason}"` : ''}`];
  }

  private run(event: HistoryEvent): [string, string] | undefined {
    const { workflowExecutionStartedEventAttributes: started, workflowPropertiesModifiedEventAttributes: modified } = event;
    if (started) return ['start', `dispute ${(value(started.input) as { disputeId?: number })?.disputeId}`];
    const checkpoint = modified?.upsertedMemo?.fields?.['checkpoint'];
    if (checkpoint) return ['checkpoint', `round ${(defaultPayloadConverter.fromPayload(checkpoint) as { round: number }).round} is kept: ${event.eventId} events`];
    if (event.workflowTaskFailedEventAttributes) return ['workflow', `a task failed and is tried again: ${event.workflowTaskFailedEventAttributes.failure?.message ?? 'it did not say why'}`];
    return this.end(event);
  }

  private end(event: HistoryEvent): [string, string] | undefined {
    const said = (text: string): [string, string] => {
      this.progress.waitsForPerson = false;
      return ['end', text];
    };
    const { workflowExecutionCompletedEventAttributes: completed, workflowExecutionFailedEventAttributes: failed } = event;
    if (completed) return said(`the run completed: ${(value(completed.result) as { outcome?: string })?.outcome}`);
    if (failed) return said(`the run failed: ${failed.failure?.cause?.message ?? failed.failure?.message}`);
    if (event.workflowExecutionTerminatedEventAttributes) return said(`the run was terminated: ${event.workflowExecutionTerminatedEventAttributes.reason || 'no reason given'}`);
    if (event.workflowExecutionCanceledEventAttributes) return said('the run was cancelled');
    if (event.workflowExecutionTimedOutEventAttributes) return said('the run timed out');
    return undefined;
  }
}
