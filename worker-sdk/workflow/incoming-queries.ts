/** Queries: answered at once, by a handler that only reads. */
import { ensureTemporalFailure } from '../payload/failure.js';
import { arrayFromPayloads, RawValue, toPayloadWithTypeInfo } from '../payload/payload-converter.js';
import type { WorkflowQueryAnnotatedType } from '../definitions/workflow.js';
import type { Job } from '../replay/protocol.js';
import { SDK_NAME, SDK_VERSION } from '../replay/sdk-name.js';
import { DeterminismViolationError } from './errors.js';
import type { QueryInput } from './interceptors.js';
import type { EnhancedStackTrace } from './enhanced-stack-trace.js';
import { ENHANCED_STACK_TRACE_QUERY, isReserved, METADATA_QUERY, refuseForDefaultHandler, STACK_TRACE_QUERY } from './reserved.js';
import type { RunContext } from './run-context.js';
import { pendingStacks } from './stack-traces.js';

type QueryJob = NonNullable<Job['queryWorkflow']>;

export function receiveQuery(run: RunContext, job: QueryJob): void {
  const queryName = job.queryType!;
  const queryId = job.queryId!;
  const own = handlerOf(run, queryName);
  refuseForDefaultHandler('query', queryName, own !== undefined, run.defaultQueryHandler !== undefined);
  const execute = run.intercept(isReserved(queryName) ? [] : run.inbound, 'handleQuery', (input: QueryInput) => answer(run, input));
  const args = arrayFromPayloads(run.payloadConverter, job.arguments, run.context, own?.typeInfo?.inputTypes);
  execute({ queryId, queryName, args, headers: job.headers ?? {} }).then(
    (result) => {
      const response = toPayloadWithTypeInfo(run.payloadConverter, result, run.context, own?.typeInfo?.outputType);
      run.push({ respondToQuery: { queryId, succeeded: { response } } });
    },
    (error) => run.push({ respondToQuery: { queryId, failed: run.errorToFailure(ensureTemporalFailure(error)) } }),
  );
}

// Not async, so that the handler does not stand in its own stack trace.
function answer(run: RunContext, { queryName, args }: QueryInput): Promise<unknown> {
  const fallback = run.defaultQueryHandler;
  const handler = handlerOf(run, queryName)?.handler ?? (fallback && ((...given: unknown[]) => fallback(queryName, ...given)));
  if (!handler) {
    const known = [...builtIn.keys(), ...run.queryHandlers.keys()].join(' ');
    return Promise.reject(new ReferenceError(`Workflow did not register a handler for ${queryName}. Registered queries: [${known}]`));
  }
  try {
    const result: unknown = handler(...args);
    if (result instanceof Promise) return Promise.reject(new DeterminismViolationError('Query handlers should not return a Promise'));
    return Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}

function handlerOf(run: RunContext, name: string): WorkflowQueryAnnotatedType | undefined {
  const own = run.queryHandlers.get(name);
  const built = own ? undefined : builtIn.get(name);
  return own ?? (built && { handler: () => new RawValue(built.answer(run)), description: built.description });
}

/** The queries that every workflow answers. */
const builtIn = new Map<string, { description: string; answer: (run: RunContext) => unknown }>([
  [
    STACK_TRACE_QUERY,
    {
      description: 'Returns a sensible stack trace.',
      answer: (run) =>
        pendingStacks(run)
          .map(({ formatted }) => formatted)
          .join('\n\n'),
    },
  ],
  [
    ENHANCED_STACK_TRACE_QUERY,
    {
      description: 'Returns a stack trace annotated with source information.',
      answer: (run) => ({
        sdk: { name: SDK_NAME, version: SDK_VERSION },
        ...enhanced(run),
      }),
    },
  ],
  [METADATA_QUERY, { description: 'Returns metadata associated with this workflow.', answer: metadata }],
]);

function enhanced(run: RunContext): Pick<EnhancedStackTrace, 'stacks' | 'sources'> {
  const stacks = pendingStacks(run).map(({ locations }) => ({ locations }));
  const sources: EnhancedStackTrace['sources'] = {};
  const { sourceOf } = run.init;
  for (const { file_path: path } of stacks.flatMap(({ locations }) => locations)) {
    if (!sourceOf || path === undefined || path in sources) continue;
    const content = sourceOf(path);
    if (content !== undefined) sources[path] = [{ content, line_offset: 0 }];
  }
  return { stacks, sources };
}

function metadata(run: RunContext): unknown {
  const describe = (handlers: Iterable<[string, { description?: string }]>) =>
    [...handlers].map(([name, { description }]) => ({ name, description }));
  return {
    definition: {
      type: run.facts.workflowType,
      queryDefinitions: [...describe(builtIn), ...describe(run.queryHandlers)],
      signalDefinitions: describe(run.signalHandlers),
      updateDefinitions: describe(run.updateHandlers),
    },
    currentDetails: run.currentDetails,
  };
}
