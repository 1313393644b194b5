/** One run in the pure core: transitions at times that the test names, no database. */
import { enums, type HistoryEvent, int64 } from '../../server/core/api.js';
import { blankState } from '../../server/core/blank-state.js';
import type { Effect } from '../../server/core/effect.js';
import { DEFAULT_LIMITS, type Limits } from '../../server/core/limits.js';
import { applyEvent } from '../../server/core/registry.js';
import type { RunState } from '../../server/core/run-state.js';
import { Turn } from '../../server/core/turn.js';

const T = enums.EventType;

export class CoreRun {
  readonly state: RunState = blankState({ namespaceId: 'ns', namespace: 'default', workflowId: 'w', runId: 'r', requestId: 'q' });
  nowMs = 1_000_000;
  /** What the last transition asked for. */
  effects: Effect[] = [];

  constructor(readonly limits: Limits = DEFAULT_LIMITS) {
    const start = { workflowType: { name: 'Test' }, taskQueue: { name: 'queue' }, attempt: 1, workflowTaskTimeout: { seconds: int64(10) } };
    this.turn((turn) =>
      turn.append({ eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, workflowExecutionStartedEventAttributes: start }),
    );
  }

  /** A transition, `laterMs` after the last. Returns the names of the events that it added or that wait in the buffer because of it. */
  turn(work: (turn: Turn) => void, laterMs = 0): string[] {
    this.nowMs += laterMs;
    const turn = new Turn(this.state, {
      nowMs: this.nowMs,
      limits: this.limits,
      newId: () => 'id',
      newRunId: () => 'run',
      retentionMs: () => 0,
      apply: applyEvent,
      attributeTypes: () => ({}),
    });
    const bufferedBefore = this.state.buffered.length;
    work(turn);
    this.effects = turn.effects;
    this.events.push(...turn.events);
    return [...turn.events, ...turn.buffered().slice(bufferedBefore)].map((e) => T[e.eventType!]!.replace('EVENT_TYPE_', ''));
  }

  readonly events: HistoryEvent[] = [];

  last(): HistoryEvent {
    return this.events.at(-1)!;
  }
}
