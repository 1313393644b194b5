/** What the commands of one workflow task completion share. */
import type { Command, HistoryEvent } from './api.js';
import type { Activity } from './run-state.js';
import type { Turn } from './turn.js';
import type { Messages } from './update-messages.js';
import type { CommandContext as CommandRules } from './validate/command-context.js';

export interface CommandContext {
  readonly turn: Turn;
  /** The WorkflowTaskCompleted event that the commands' events name; 0 when there is none, as nothing came of the task. */
  readonly completedEventId: number;
  readonly identity: string;
  /** Events or updates came in that the worker has not seen: the run may not be closed now. */
  readonly unseenEvents: boolean;
  /** The run's own first event, loaded when a close may lead to a new run (retry, cron). */
  readonly started: HistoryEvent | undefined;
  /** What the checks of single commands need to know. */
  readonly rules: CommandRules;
  /** Workflow ids of children that earlier commands of this task start. */
  readonly startedChildren: Set<string>;
  /** Namespace name -> id; undefined when there is no such namespace. */
  readonly namespaceId: (name: string) => string | undefined;
  /** Set by a command after which the workflow must be woken at once. */
  needsTask: boolean;
  /** Activities whose worker asked to run them itself (eager execution). */
  readonly eager: Activity[];
  /** What the worker says about updates. */
  readonly messages: Messages;
}

export type CommandHandler = (context: CommandContext, command: Command) => void;
