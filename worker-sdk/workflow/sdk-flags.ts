/**
 * Behaviours of the workflow runtime that changed in the field's TypeScript SDK. A flag that a history lacks means the old behaviour while
 * that history replays. Numbers and meaning are theirs, so that their histories replay here and ours there.
 */
import type { WorkflowInfo } from './interfaces.js';

export interface SdkFlag {
  id: number;
  /** Whether a fresh execution uses it. */
  default: boolean;
  /** Histories in which it holds without being recorded. */
  alternative?: (info: WorkflowInfo, sdkVersion: string | undefined) => boolean;
}

/** The releases 1.11.0 and 1.11.1 had the behaviour but failed to record it. */
const unrecorded = (info: WorkflowInfo): boolean => /^@temporalio\/worker@1\.11\.[01][+]/.test(info.currentBuildId ?? '');

export const SdkFlags = {
  /** Cancelling a parent scope does not reach through a non-cancellable one; timers of scopes are cancelled with them. */
  NonCancellableScopesAreShieldedFromPropagation: { id: 1, default: true, alternative: unrecorded },
  /** All jobs of an activation are handled before any microtask runs. Before, signals had a round of their own. */
  ProcessWorkflowActivationJobsAsSingleBatch: { id: 2, default: true, alternative: unrecorded },
} as const satisfies Record<string, SdkFlag>;
