/**
 * Numbers that workers record in WorkflowTaskCompleted.sdk_metadata to say which behaviours an execution relied on. They are read as the
 * field's SDK reads them: a flag holds while replaying only if history has it, and from then on.
 */
import type { temporal } from '../definitions/api.js';
import { SDK_NAME, SDK_VERSION } from './sdk-name.js';

type TaskCompleted = temporal.api.history.v1.IWorkflowTaskCompletedEventAttributes;
type SdkMetadata = temporal.api.sdk.v1.IWorkflowTaskCompletedMetadata;

/** Behaviours of the replay machine. */
export const CoreFlag = {
  /** Ids and types of activities and children are compared with history. */
  IdAndTypeChecks: 1,
  /** Every patch also upserts the search attribute TemporalChangeVersion. */
  UpsertSearchAttributeOnPatch: 2,
  /** Commands issued after the one that closes the run are sent, before it. */
  MoveTerminalCommands: 3,
} as const;
type CoreFlag = (typeof CoreFlag)[keyof typeof CoreFlag];

const ALL_CORE_FLAGS: readonly CoreFlag[] = Object.values(CoreFlag);

export class SdkFlags {
  readonly #core = new Set<number>();
  readonly #lang = new Set<number>();
  readonly #newCore = new Set<number>();
  readonly #newLang = new Set<number>();
  #lastName = '';
  #lastVersion = '';

  /** Takes over what a completed task recorded. */
  addFromCompleted(completed: TaskCompleted): void {
    const metadata = completed.sdkMetadata;
    if (!metadata) return;
    for (const flag of metadata.coreUsedFlags ?? []) this.#core.add(flag);
    for (const flag of metadata.langUsedFlags ?? []) this.#lang.add(flag);
    if (metadata.sdkName) this.#lastName = metadata.sdkName;
    if (metadata.sdkVersion) this.#lastVersion = metadata.sdkVersion;
  }

  /** Whether a behaviour holds; a fresh execution records it. */
  use(flag: CoreFlag, record: boolean): boolean {
    if (record) this.#newCore.add(flag);
    return record || this.#core.has(flag);
  }

  addUsedByWorkflow(flags: readonly number[]): void {
    for (const flag of flags) this.#newLang.add(flag);
  }

  /** Flags that the workflow runtime may use. */
  get available(): number[] {
    return [...this.#lang];
  }

  get lastSdkVersion(): string {
    return this.#lastVersion;
  }

  /** What the completion of the present task records, and from now on known. Only new things are written. */
  takeForCompletion(): SdkMetadata {
    for (const flag of ALL_CORE_FLAGS) this.#newCore.add(flag);
    const coreUsedFlags = [...this.#newCore].filter((flag) => !this.#core.has(flag));
    const langUsedFlags = [...this.#newLang].filter((flag) => !this.#lang.has(flag));
    for (const flag of coreUsedFlags) this.#core.add(flag);
    for (const flag of langUsedFlags) this.#lang.add(flag);
    this.#newCore.clear();
    this.#newLang.clear();
    const sdkName = this.#lastName === SDK_NAME ? '' : SDK_NAME;
    const sdkVersion = this.#lastVersion === SDK_VERSION ? '' : SDK_VERSION;
    return { coreUsedFlags, langUsedFlags, sdkName, sdkVersion };
  }
}
