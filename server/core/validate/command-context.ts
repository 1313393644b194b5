/** What the rules for commands need to know beyond the command. */
import type { ValidationLimits } from './limits.js';
import type { CustomSearchAttributes, SearchAttributes } from './search-attributes.js';
import type { temporal } from '../api.js';

export interface CommandContext {
  readonly limits: ValidationLimits;
  /** Name of the run's own namespace. */
  readonly namespace: string;
  /** Workflow ids of children that earlier commands of this task start. */
  readonly startedChildren: ReadonlySet<string>;
  /** What the run has, for commands that add to it. */
  readonly memo?: temporal.api.common.v1.IMemo | null;
  readonly searchAttributes?: SearchAttributes | null;
  readonly namespaceExists: (namespace: string) => boolean;
  /** Custom search attributes of a namespace that exists. */
  readonly customSearchAttributes: (namespace: string) => CustomSearchAttributes;
}
