/** What workflow code can ask about itself, and the small things it can say. */
import { currentRun, maybeCurrentRun } from './current-run.js';
import type { UpdateInfo, WorkflowInfo } from './interfaces.js';
import { uuid4From } from './random.js';
import { currentUpdate } from './update-scope.js';

/** What the workflow knows of itself, now. Call it again for what changes. */
export function workflowInfo(): WorkflowInfo {
  return currentRun('workflowInfo()').info;
}

/** The update whose handler the calling code belongs to. */
export function currentUpdateInfo(): UpdateInfo | undefined {
  currentRun('currentUpdateInfo()');
  return currentUpdate();
}

/** Whether the calling code runs in a workflow. */
export function inWorkflowContext(): boolean {
  return typeof PERDURE_SANDBOX !== 'undefined' || maybeCurrentRun() !== undefined;
}

/** Put there by the bundler: libraries of workflow code are loaded before there is any run. */
declare const PERDURE_SANDBOX: true | undefined;

/** A random UUID (version 4) that is the same in replay. Not for secrets. */
export function uuid4(): string {
  const run = maybeCurrentRun();
  return uuid4From(run ? run.random.current : Math.random);
}

/** Whether no signal and no update handler is running. Wait for it before the workflow ends: `await condition(allHandlersFinished)`. */
export function allHandlersFinished(): boolean {
  const run = currentRun('allHandlersFinished()');
  return run.signalsInProgress.size === 0 && run.updatesInProgress.size === 0;
}

/** What {@link setCurrentDetails} set last. */
export function getCurrentDetails(): string {
  return currentRun('getCurrentDetails()').currentDetails;
}

/** Says in Markdown, for people, what the workflow is about at present. */
export function setCurrentDetails(details: string): void {
  currentRun('setCurrentDetails()').currentDetails = details;
}
