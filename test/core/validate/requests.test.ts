import { describe, expect, test } from 'vitest';
import { api, enums, int64, toDuration } from '../../../server/core/api.js';
import { ServiceError } from '../../../server/core/errors.js';
import { requireActivityFailure, requireActivityIds, requireTaskToken } from '../../../server/core/validate/activity-answer.js';
import { requireExecution } from '../../../server/core/validate/execution.js';
import {
  requireNamespace,
  requireNamespaceState,
  validateRegisterNamespace,
  validateUpdateNamespace,
} from '../../../server/core/validate/namespace.js';
import { requireLongPollTime, validatePoll } from '../../../server/core/validate/poll.js';
import { validateQueryWorkflow } from '../../../server/core/validate/query-workflow.js';
import { validateResetWorkflow } from '../../../server/core/validate/reset-workflow.js';
import { attributeNameProblem } from '../../../server/core/validate/search-attributes.js';
import { validateSignalWithStart, validateSignalWorkflow } from '../../../server/core/validate/signal-workflow.js';
import { type StartWorkflowRequest, validateStartWorkflow } from '../../../server/core/validate/start-workflow.js';
import {
  requireStartAndUpdate,
  startOfUpdateProblem,
  updateOfStartProblem,
  validatePollUpdate,
  validateUpdateWorkflow,
} from '../../../server/core/validate/update-workflow.js';
import { DEFAULT_LIMITS } from '../../../server/core/limits.js';

const limits = DEFAULT_LIMITS;
const T = enums.IndexedValueType;
const custom = {
  namespace: 'orders',
  types: new Map<string, number>([
    ['City', T.INDEXED_VALUE_TYPE_KEYWORD],
    ['Amount', T.INDEXED_VALUE_TYPE_INT],
  ]),
};
const json = (value: unknown) => ({ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) });
const payloads = (bytes: number) => ({ payloads: [{ data: Buffer.alloc(bytes) }] });
const RUN = '00000000-0000-4000-8000-000000000000';

/** What the caller would be told: code and text, or nothing. */
function told(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return `${error.code} ${error.message}`;
  }
}

const good = (): StartWorkflowRequest => ({ workflowId: 'order-1', workflowType: { name: 'Order' }, taskQueue: { name: 'orders' } });
const starting = (change: StartWorkflowRequest) => told(() => validateStartWorkflow({ ...good(), ...change }, limits, custom));
const long = 'x'.repeat(1001);
const Reuse = enums.WorkflowIdReusePolicy;
const Conflict = enums.WorkflowIdConflictPolicy;

describe('starting a workflow', () => {
  test.each<[string, StartWorkflowRequest]>([
    ['the least there can be', {}],
    ['an id of 1,000 bytes', { workflowId: 'x'.repeat(1000) }],
    ['control characters and emoji', { workflowId: 'a\n\tb 😀' }],
    ['a cron schedule', { cronSchedule: '@every 1ms' }],
    ['a policy of one attempt, whatever else it says', { retryPolicy: { maximumAttempts: 1, backoffCoefficient: 0.5 } }],
    ['an empty retry policy', { retryPolicy: {} }],
    ['a timeout beyond a hundred years', { workflowExecutionTimeout: toDuration(6_307_200_000_000) }],
    [
      'a search attribute that is unset',
      { searchAttributes: { indexedFields: { City: { metadata: { encoding: Buffer.from('binary/null') } } } } },
    ],
    ['an unknown reuse policy', { workflowIdReusePolicy: 99 as never }],
    ['a priority beyond the last', { priority: { priorityKey: 9 } }],
  ])('%s is accepted', (_what, change) => {
    expect(starting(change)).toBeUndefined();
  });

  test.each<[StartWorkflowRequest, string]>([
    [{ workflowId: '' }, 'WorkflowId is not set on request.'],
    [{ workflowId: long }, 'WorkflowId exceeds maximum allowed length (1001/1000)'],
    [{ workflowId: '😀'.repeat(400) }, 'WorkflowId exceeds maximum allowed length (1600/1000)'],
    [{ workflowId: 'a\0b' }, 'WorkflowId contains a NUL character, which cannot be stored.'],
    [{ workflowType: undefined }, 'WorkflowType is not set on request.'],
    [{ workflowType: { name: '' } }, 'WorkflowType is not set on request.'],
    [{ workflowType: { name: long } }, 'WorkflowType length exceeds limit.'],
    [{ taskQueue: undefined }, 'taskQueue is not set'],
    [{ taskQueue: { name: '' } }, 'missing task queue name'],
    [{ taskQueue: { name: long } }, 'taskQueue length exceeds limit'],
    [{ taskQueue: { name: '/_sys/x' } }, 'task queue name cannot start with reserved prefix /_sys/'],
    [{ requestId: long }, 'RequestId length exceeds limit.'],
    [
      { workflowExecutionTimeout: toDuration(-1000) },
      'An invalid WorkflowExecutionTimeoutSeconds is set on request. cause: negative duration',
    ],
    [{ workflowRunTimeout: toDuration(-1000) }, 'An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration'],
    [{ workflowTaskTimeout: toDuration(-1000) }, 'An invalid WorkflowTaskTimeoutSeconds is set on request. cause: negative duration'],
    [
      { workflowRunTimeout: { seconds: int64(1), nanos: -1 } },
      'An invalid WorkflowRunTimeoutSeconds is set on request. cause: duration has seconds and nanos with different signs',
    ],
    [{ workflowStartDelay: toDuration(-1000) }, 'An invalid WorkflowStartDelaySeconds is set on request. cause: negative duration'],
    [{ workflowStartDelay: toDuration(1000), cronSchedule: '* * * * *' }, 'CronSchedule and WorkflowStartDelay may not be used together.'],
    [{ cronSchedule: '0 0 3 * * *' }, 'invalid CronSchedule "0 0 3 * * *": expected 5 fields, got 6'],
    [{ retryPolicy: { initialInterval: toDuration(-1000) } }, 'invalid InitialInterval set on retry policy: negative duration'],
    [{ retryPolicy: { backoffCoefficient: 0.5 } }, 'BackoffCoefficient cannot be less than 1 on retry policy.'],
    [{ retryPolicy: { backoffCoefficient: Number.NaN } }, 'BackoffCoefficient cannot be less than 1 on retry policy.'],
    [
      { retryPolicy: { initialInterval: toDuration(5000), maximumInterval: toDuration(1000) } },
      'MaximumInterval cannot be less than InitialInterval on retry policy.',
    ],
    [{ retryPolicy: { maximumAttempts: -1 } }, 'MaximumAttempts cannot be negative on retry policy.'],
    [{ retryPolicy: { nonRetryableErrorTypes: ['TemporalTimeout:Never'] } }, 'Invalid timeout type value: Never.'],
    [{ priority: { priorityKey: -1 } }, "priority key can't be negative"],
    [{ priority: { fairnessKey: 'x'.repeat(65) } }, 'fairness key length exceeds limit'],
    [{ onConflictOptions: { attachCompletionCallbacks: true } }, 'attaching request ID is required for attaching completion callbacks'],
    [{ completionCallbacks: [{ nexus: { url: 'ftp://x' } }] }, 'invalid url: unknown scheme: ftp://x'],
    [
      { links: Array(11).fill({ workflowEvent: { namespace: 'n', workflowId: 'l', runId: 'r' } }) },
      'cannot attach more than 10 links per request, got 11',
    ],
    [{ links: [{ workflowEvent: { namespace: 'n', runId: 'r' } }] }, 'workflow event link must not have an empty workflow ID field'],
    [{ input: payloads(2_200_000) }, 'Blob data size exceeds limit.'],
    [{ memo: { fields: { m: { data: Buffer.alloc(2_200_000) } } } }, 'Memo size exceeds limit.'],
    [{ searchAttributes: { indexedFields: { Nope: json('x') } } }, 'Namespace orders has no mapping defined for search attribute Nope'],
    [{ searchAttributes: { indexedFields: { RunId: json('x') } } }, "RunId attribute can't be set in SearchAttributes"],
    [
      { searchAttributes: { indexedFields: { Amount: json('not a number') } } },
      'invalid value for search attribute Amount of type Int: not a number',
    ],
    [
      { searchAttributes: { indexedFields: { City: json('x'.repeat(3000)) } } },
      'search attribute City value size 3002 exceeds size limit 2048',
    ],
    [
      {
        workflowIdReusePolicy: Reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING,
        workflowIdConflictPolicy: Conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
      },
      'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy',
    ],
  ])('$1', (change, text) => {
    expect(starting(change)).toBe(`INVALID_ARGUMENT ${text}`);
  });

  test('sizes are those of the encoded payloads, to the byte', () => {
    const overhead = api.common.v1.Payloads.encode(payloads(2_000_000)).finish().length - 2_000_000;
    expect(starting({ input: payloads(limits.payloadSizeMax - overhead) })).toBeUndefined();
    expect(starting({ input: payloads(limits.payloadSizeMax - overhead + 1) })).toContain('Blob data size');
  });
});

test('which run is meant: a workflow id, and a run id that is a UUID', () => {
  expect(requireExecution({ workflowId: 'w', runId: RUN.toUpperCase() })).toEqual({ workflowId: 'w', runId: RUN });
  expect(told(() => requireExecution(undefined))).toBe('INVALID_ARGUMENT Execution is not set on request.');
  expect(told(() => requireExecution({}))).toBe('INVALID_ARGUMENT WorkflowId is not set on request.');
  expect(told(() => requireExecution({ workflowId: 'w', runId: 'xyz' }))).toBe('INVALID_ARGUMENT Invalid RunId.');
});

describe('signals', () => {
  const execution = { workflowId: 'w' };
  const signal = (change: object) =>
    told(() => validateSignalWorkflow({ workflowExecution: execution, signalName: 's', ...change }, limits));
  test('need a run and a name', () => {
    expect(signal({})).toBeUndefined();
    expect(signal({ signalName: '' })).toBe('INVALID_ARGUMENT SignalName is not set on request.');
    expect(signal({ signalName: long })).toBe('INVALID_ARGUMENT SignalName length exceeds limit.');
    expect(signal({ requestId: long })).toBe('INVALID_ARGUMENT RequestId length exceeds limit.');
    expect(signal({ input: payloads(2_200_000) })).toBe('INVALID_ARGUMENT Blob data size exceeds limit.');
  });

  test.each([
    [{ signalName: '' }, 'signal not set'],
    [{ workflowId: '' }, 'WorkflowId is not set on request.'],
    [{ workflowType: undefined }, 'workflow type not set'],
    [{ taskQueue: undefined }, 'taskQueue is not set'],
    [{ signalName: long }, 'signal name exceeds maximum allowed length (1001/1000)'],
    [{ cronSchedule: '* * * * *', workflowStartDelay: toDuration(1000) }, 'CronSchedule and WorkflowStartDelay may not be used together.'],
    [
      { workflowIdConflictPolicy: Conflict.WORKFLOW_ID_CONFLICT_POLICY_FAIL },
      'Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.',
    ],
  ])('with a start: $1', (change, text) => {
    expect(told(() => validateSignalWithStart({ ...good(), signalName: 's', ...change }, limits, custom))).toBe(`INVALID_ARGUMENT ${text}`);
  });
});

describe('updates', () => {
  const workflowExecution = { workflowId: 'w' };
  const request = { meta: { updateId: 'u' }, input: { name: 'n' } };
  const update = (change: object) => told(() => validateUpdateWorkflow({ workflowExecution, request, ...change }, limits));
  test('need an id, an input and a name', () => {
    expect(update({})).toBeUndefined();
    expect(update({ request: undefined })).toBe('INVALID_ARGUMENT Update meta is not set on request.');
    expect(update({ request: { meta: {} } })).toBe('INVALID_ARGUMENT Update input is not set on request.');
    expect(update({ request: { meta: {}, input: {} } })).toBe('INVALID_ARGUMENT Update name is not set on request.');
    expect(update({ request: { ...request, meta: { updateId: long } } })).toBe('INVALID_ARGUMENT UpdateId length exceeds limit.');
  });
  test('cannot wait to be admitted', () => {
    const { UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED: lifecycleStage } = enums.UpdateWorkflowExecutionLifecycleStage;
    expect(update({ waitPolicy: { lifecycleStage } })).toContain('PERMISSION_DENIED');
  });
  test('are polled by a reference', () => {
    expect(told(() => validatePollUpdate({}))).toBe('INVALID_ARGUMENT UpdateRef is not set on request.');
    expect(validatePollUpdate({ updateRef: { workflowExecution, updateId: 'u' } })).toEqual({ workflowId: 'w', runId: '', updateId: 'u' });
  });
  test('come with exactly one start', () => {
    const start = { startWorkflow: good() };
    const change = { updateWorkflow: { workflowExecution, request } };
    expect(requireStartAndUpdate({ operations: [start, change] }).start).toBe(start.startWorkflow);
    for (const operations of [[], [start], [change, start], [start, change, change]]) {
      expect(told(() => requireStartAndUpdate({ operations }))).toBe('INVALID_ARGUMENT Operations have to be exactly [Start, Update].');
    }
    expect(startOfUpdateProblem({ namespace: 'other' }, 'orders')).toBe("Operation namespace did not match request's namespace.");
    expect(startOfUpdateProblem({ cronSchedule: '@daily' }, 'orders')).toBe('CronSchedule is not allowed.');
    expect(startOfUpdateProblem({ requestEagerExecution: true }, 'orders')).toBe('RequestEagerExecution is not supported.');
    expect(updateOfStartProblem({ workflowExecution: { workflowId: 'w', runId: RUN } }, 'orders')).toBe('RunId is not allowed.');
  });
});

test('a search attribute has a name that can be stored', () => {
  expect(attributeNameProblem('City')).toBeUndefined();
  expect(attributeNameProblem('a-b c')).toBeUndefined();
  expect(attributeNameProblem('a\0b')).toContain('NUL');
  expect(attributeNameProblem('x'.repeat(256))).toContain('longer than 255');
  expect(attributeNameProblem('__proto__')).toContain('reserved');
});

test('a query needs a type and arguments that fit', () => {
  const query = (change: object) =>
    told(() => validateQueryWorkflow({ execution: { workflowId: 'w' }, query: { queryType: 'q' }, ...change }, limits));
  expect(query({})).toBeUndefined();
  expect(query({ query: undefined })).toBe('INVALID_ARGUMENT WorkflowQuery is not set on request.');
  expect(query({ query: {} })).toBe('INVALID_ARGUMENT QueryType is not set on request.');
  expect(query({ query: { queryType: 'q', queryArgs: payloads(2_200_000) } })).toBe('INVALID_ARGUMENT Blob data size exceeds limit.');
});

test('a poll needs time to wait, a queue and a short identity', () => {
  const poll = (change: object) => told(() => validatePoll({ taskQueue: { name: 'q' }, ...change }, limits));
  expect(poll({})).toBeUndefined();
  expect(poll({ taskQueue: undefined })).toBe('INVALID_ARGUMENT taskQueue is not set');
  expect(poll({ identity: long })).toBe('INVALID_ARGUMENT Identity length exceeds limit.');
  expect(poll({ taskQueue: { name: 'q', kind: enums.TaskQueueKind.TASK_QUEUE_KIND_STICKY } })).toBeUndefined();
  expect(told(() => requireLongPollTime(1_000, 0))).toBe('FAILED_PRECONDITION Context timeout is too short.');
  expect(told(() => requireLongPollTime(Number.POSITIVE_INFINITY, 0))).toBe('INVALID_ARGUMENT Context timeout is not set.');
  expect(told(() => requireLongPollTime(4_000, 0))).toBeUndefined();
});

test('a reset needs a request id first', () => {
  expect(told(() => validateResetWorkflow({}, limits))).toBe('INVALID_ARGUMENT RequestId is not set on request.');
  expect(told(() => validateResetWorkflow({ requestId: 'r' }, limits))).toBe('INVALID_ARGUMENT Execution is not set on request.');
});

describe('namespaces', () => {
  const day = toDuration(86_400_000);
  test('are named in every request', () => {
    expect(told(() => requireNamespace('', 1000))).toBe('INVALID_ARGUMENT Namespace is empty.');
    expect(told(() => requireNamespace(long, 1000))).toBe('INVALID_ARGUMENT Namespace length exceeds limit.');
  });
  test.each([
    [{ namespace: '' }, 'Namespace not set on request.'],
    [{ namespace: long }, 'Namespace length exceeds limit.'],
    [{ workflowExecutionRetentionPeriod: undefined }, 'A valid retention period is not set on request.'],
    [{ workflowExecutionRetentionPeriod: toDuration(1000) }, 'A valid retention period is not set on request.'],
    [{ workflowExecutionRetentionPeriod: toDuration(-1000) }, 'A valid retention period is not set on request.'],
    [{ isGlobalNamespace: true }, 'Cannot register global namespace when not enabled'],
    [{ activeClusterName: 'nope' }, 'Invalid cluster name: nope'],
  ])('cannot be registered: $1', (change, text) => {
    const request = { namespace: 'orders', workflowExecutionRetentionPeriod: day, ...change };
    expect(told(() => validateRegisterNamespace(request, 1000))).toBe(`INVALID_ARGUMENT ${text}`);
  });
  test('keep closed runs an hour at least', () => {
    expect(
      told(() => validateRegisterNamespace({ namespace: 'orders', workflowExecutionRetentionPeriod: toDuration(3_600_000) }, 1000)),
    ).toBeUndefined();
    expect(told(() => validateUpdateNamespace({ namespace: 'orders' }, 1000))).toBeUndefined();
    const short = { namespace: 'orders', config: { workflowExecutionRetentionTtl: toDuration(60_000) } };
    expect(told(() => validateUpdateNamespace(short, 1000))).toBe('INVALID_ARGUMENT A valid retention period is not set on request.');
  });
  test('are described in texts that can be stored', () => {
    const request = { namespace: 'orders', workflowExecutionRetentionPeriod: day };
    expect(told(() => validateRegisterNamespace({ ...request, description: 'a\0b' }, 1000))).toContain('NUL');
    expect(told(() => validateRegisterNamespace({ ...request, data: { key: 'a\0b' } }, 1000))).toContain('NUL');
    expect(told(() => validateUpdateNamespace({ namespace: 'orders', updateInfo: { ownerEmail: 'a\0b' } }, 1000))).toContain('NUL');
  });
  test('are not deleted by an update', () => {
    const to = (state: number) => told(() => validateUpdateNamespace({ namespace: 'orders', updateInfo: { state } }, 1000));
    expect(to(enums.NamespaceState.NAMESPACE_STATE_DEPRECATED)).toBeUndefined();
    expect(to(enums.NamespaceState.NAMESPACE_STATE_DELETED)).toBe(
      'INVALID_ARGUMENT A namespace can be set to Registered or Deprecated, not to state 3.',
    );
    expect(to(99)).toContain('not to state 99');
  });
  test('that are deprecated start nothing new', () => {
    const { NAMESPACE_STATE_REGISTERED: registered, NAMESPACE_STATE_DEPRECATED: deprecated } = enums.NamespaceState;
    expect(told(() => requireNamespaceState('orders', registered, [registered]))).toBeUndefined();
    expect(told(() => requireNamespaceState('orders', deprecated, [registered]))).toBe(
      'FAILED_PRECONDITION Namespace has invalid state: Deprecated. Must be Registered.',
    );
  });
});

describe('answers about activities', () => {
  test('carry a token, or name the activity', () => {
    expect(told(() => requireTaskToken(Buffer.alloc(0)))).toBe('INVALID_ARGUMENT Task token not set on request.');
    expect(told(() => requireActivityIds({ workflowId: 'w' }))).toBe('INVALID_ARGUMENT ActivityId is not set on request.');
    expect(told(() => requireActivityIds({ activityId: 'a' }))).toBe('INVALID_ARGUMENT WorkflowId is not set on request.');
  });
  test('fail with an application failure', () => {
    expect(told(() => requireActivityFailure(undefined))).toBeUndefined();
    expect(told(() => requireActivityFailure({ serverFailureInfo: {} }))).toBe(
      'INVALID_ARGUMENT Failure must have ApplicationFailureInfo.',
    );
    const nested = { applicationFailureInfo: {}, cause: { applicationFailureInfo: { nextRetryDelay: toDuration(-1) } } };
    expect(told(() => requireActivityFailure(nested))).toContain('NextRetryDelay is not a valid duration');
  });
});
