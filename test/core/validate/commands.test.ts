import { describe, expect, test } from 'vitest';
import { type Command, enums, int64, toDuration } from '../../../server/core/api.js';
import { ServiceError } from '../../../server/core/errors.js';
import type { CommandContext } from '../../../server/core/validate/command-context.js';
import { causeName, faultText } from '../../../server/core/validate/command-fault.js';
import { requireCommandSequence, validateCommand } from '../../../server/core/validate/commands.js';

const T = enums.CommandType;
const context: CommandContext = {
  limits: { idLengthMax: 1000, payloadSizeMax: 2 * 1024 * 1024, memoSizeMax: 2 * 1024 * 1024 },
  namespace: 'orders',
  startedChildren: new Set(['started-before']),
  memo: { fields: { kept: { data: Buffer.alloc(1_500_000) } } },
  namespaceExists: (namespace) => namespace !== 'no-such-namespace',
  customSearchAttributes: (namespace) => ({
    namespace,
    types: new Map([
      ['City', enums.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD],
      ['Amount', enums.IndexedValueType.INDEXED_VALUE_TYPE_INT],
    ]),
  }),
};

const json = (value: unknown) => ({ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) });
const big = { payloads: [{ data: Buffer.alloc(2_200_000) }] };
const long = 'x'.repeat(1001);

const activity = (change: object): Command => ({
  commandType: T.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
  scheduleActivityTaskCommandAttributes: {
    activityId: 'a',
    activityType: { name: 'act' },
    taskQueue: { name: 'q' },
    startToCloseTimeout: toDuration(10_000),
    ...change,
  },
});
const timer = (timerId: string, change: object = {}): Command => ({
  commandType: T.COMMAND_TYPE_START_TIMER,
  startTimerCommandAttributes: { timerId, startToFireTimeout: toDuration(1000), ...change },
});
const cancelTimer = (timerId: string): Command => ({ commandType: T.COMMAND_TYPE_CANCEL_TIMER, cancelTimerCommandAttributes: { timerId } });
const cancelActivity = (id: number): Command => ({
  commandType: T.COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
  requestCancelActivityTaskCommandAttributes: { scheduledEventId: int64(id) },
});
const marker = (change: object): Command => ({
  commandType: T.COMMAND_TYPE_RECORD_MARKER,
  recordMarkerCommandAttributes: { markerName: 'm', ...change },
});
const complete = (change: object = {}): Command => ({
  commandType: T.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: change,
});
const fail = (change: object): Command => ({
  commandType: T.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  failWorkflowExecutionCommandAttributes: change,
});
const child = (change: object): Command => ({
  commandType: T.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
  startChildWorkflowExecutionCommandAttributes: { workflowId: 'c', workflowType: { name: 'Child' }, taskQueue: { name: 'q' }, ...change },
});
const signal = (change: object): Command => ({
  commandType: T.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
  signalExternalWorkflowExecutionCommandAttributes: { execution: { workflowId: 'x' }, signalName: 's', ...change },
});
const cancelExternal = (change: object): Command => ({
  commandType: T.COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
  requestCancelExternalWorkflowExecutionCommandAttributes: { workflowId: 'x', ...change },
});
const next = (change: object): Command => ({
  commandType: T.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
  continueAsNewWorkflowExecutionCommandAttributes: { workflowType: { name: 'Order' }, taskQueue: { name: 'q' }, ...change },
});
const upsert = (fields: Record<string, object>): Command => ({
  commandType: T.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  upsertWorkflowSearchAttributesCommandAttributes: { searchAttributes: { indexedFields: fields } },
});
const memo = (bytes: number): Command => ({
  commandType: T.COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
  modifyWorkflowPropertiesCommandAttributes: { upsertedMemo: { fields: { m: { data: Buffer.alloc(bytes) } } } },
});
const bare = (commandType: number): Command => ({ commandType });

const fault = (command: Command) => validateCommand(command, context);

test.each<[string, Command]>([
  ['an activity', activity({})],
  ['an activity with an empty retry policy', activity({ retryPolicy: { maximumAttempts: 2 } })],
  ['a timer of no time', timer('t', { startToFireTimeout: undefined })],
  ['a child on its parent’s queue', child({ taskQueue: undefined })],
  ['continue-as-new that inherits everything', next({ workflowType: undefined, taskQueue: undefined })],
  ['a search attribute', upsert({ City: json('Madrid'), Amount: json(3) })],
  ['a memo', memo(10)],
  ['a signal to a namespace that exists', signal({ namespace: 'billing' })],
])('%s is fine', (_what, command) => {
  expect(fault(command)).toBeUndefined();
});

test.each<[string, Command]>([
  [
    'BadScheduleActivityAttributes: a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. ActivityId=a ActivityType=act',
    activity({ startToCloseTimeout: undefined }),
  ],
  ['BadScheduleActivityAttributes: activityId is not set', activity({ activityId: '' })],
  ['BadScheduleNexusOperationAttributes: endpoint "nope" not found', { ...bare(T.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION), scheduleNexusOperationCommandAttributes: { endpoint: 'nope' } }],
  ['BadScheduleNexusOperationAttributes: empty ScheduleNexusOperationCommandAttributes', bare(T.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION)],
  [
    'BadRequestCancelNexusOperationAttributes: requested cancelation for a non-existing or already completed operation with scheduled event ID of 99',
    { ...bare(T.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION), requestCancelNexusOperationCommandAttributes: { scheduledEventId: 99 as never } },
  ],
  ['BadRequestCancelNexusOperationAttributes: empty CancelNexusOperationCommandAttributes', bare(T.COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION)],
  ['BadScheduleActivityAttributes: activityType is not set', activity({ activityType: {} })],
  ['BadScheduleActivityAttributes: taskQueue is not set', activity({ taskQueue: undefined })],
  ['BadScheduleActivityAttributes: missing task queue name', activity({ taskQueue: {} })],
  ['BadScheduleActivityAttributes: task queue name cannot start with reserved prefix /_sys/', activity({ taskQueue: { name: '/_sys/q' } })],
  ['BadScheduleActivityAttributes: invalid StartToCloseTimeout: negative duration', activity({ startToCloseTimeout: toDuration(-1000) })],
  ['BadScheduleActivityAttributes: invalid HeartbeatTimeout: negative duration', activity({ heartbeatTimeout: toDuration(-1000) })],
  ['BadScheduleActivityAttributes: activityId exceeds length limit. Length=1001 Limit=1000', activity({ activityId: long })],
  [
    'BadScheduleActivityAttributes: BackoffCoefficient cannot be less than 1 on retry policy.',
    activity({ retryPolicy: { backoffCoefficient: 0.5 } }),
  ],
  ["BadScheduleActivityAttributes: invalid priorities: priority key can't be negative", activity({ priority: { priorityKey: -3 } })],
  ['BadRequestCancelActivityAttributes: ScheduledEventId is not set on RequestCancelActivityTaskCommand.', cancelActivity(0)],
  ['BadStartTimerAttributes: TimerId is not set on StartTimerCommand.', timer('')],
  [`BadStartTimerAttributes: TimerId on StartTimerCommand exceeds length limit. TimerId=${long} Length=1001 Limit=1000`, timer(long)],
  ['BadCancelTimerAttributes: TimerId is not set on CancelTimerCommand.', cancelTimer('')],
  ['BadRecordMarkerAttributes: MarkerName is not set on RecordMarkerCommand.', marker({ markerName: '' })],
  ['BadFailWorkflowExecutionAttributes: Failure is not set on FailWorkflowExecutionCommand.', fail({})],
  [
    'BadStartChildExecutionAttributes: Required field WorkflowId is not set on StartChildWorkflowExecutionCommand. WorkflowType=Child Namespace=orders',
    child({ workflowId: '' }),
  ],
  [
    'BadStartChildExecutionAttributes: Required field WorkflowType is not set on StartChildWorkflowExecutionCommand. WorkflowId=c Namespace=orders',
    child({ workflowType: undefined }),
  ],
  [
    'BadStartChildExecutionAttributes: Invalid WorkflowRunTimeout on StartChildWorkflowExecutionCommand: negative duration. WorkflowId=c WorkflowType=Child Namespace=orders',
    child({ workflowRunTimeout: toDuration(-1000) }),
  ],
  [
    'BadSearchAttributes: Namespace orders has no mapping defined for search attribute Nope',
    child({ searchAttributes: { indexedFields: { Nope: json('x') } } }),
  ],
  [
    'BadSignalWorkflowExecutionAttributes: WorkflowId is not set on SignalExternalWorkflowExecutionCommand. Namespace= RunId= SignalName=s',
    signal({ execution: {} }),
  ],
  [
    'BadSignalWorkflowExecutionAttributes: SignalName is not set on SignalExternalWorkflowExecutionCommand. WorkflowId=x Namespace= RunId=',
    signal({ signalName: '' }),
  ],
  [
    'BadSignalWorkflowExecutionAttributes: Invalid RunId set on SignalExternalWorkflowExecutionCommand. WorkflowId=x Namespace= RunId=no-uuid SignalName=s',
    signal({ execution: { workflowId: 'x', runId: 'no-uuid' } }),
  ],
  [
    'BadRequestCancelExternalWorkflowExecutionAttributes: WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand. Namespace= RunId=',
    cancelExternal({ workflowId: '' }),
  ],
  [
    'BadRequestCancelExternalWorkflowExecutionAttributes: Invalid RunId set on RequestCancelExternalWorkflowExecutionCommand. WorkflowId=x RunId=no-uuid Namespace=',
    cancelExternal({ runId: 'no-uuid' }),
  ],
  [
    'BadRequestCancelExternalWorkflowExecutionAttributes: Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId=started-before RunId= Namespace=',
    cancelExternal({ workflowId: 'started-before' }),
  ],
  [
    'BadContinueAsNewAttributes: Invalid WorkflowRunTimeout on ContinueAsNewWorkflowExecutionCommand: negative duration. WorkflowType=Order TaskQueue=q',
    next({ workflowRunTimeout: toDuration(-1000) }),
  ],
  [
    'BadSearchAttributes: SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.',
    { ...upsert({}), upsertWorkflowSearchAttributesCommandAttributes: {} },
  ],
  ['BadSearchAttributes: Namespace orders has no mapping defined for search attribute Nope', upsert({ Nope: json('x') })],
  ["BadSearchAttributes: WorkflowId attribute can't be set in SearchAttributes", upsert({ WorkflowId: json('x') })],
  ['BadSearchAttributes: invalid value for search attribute Amount of type Int: text', upsert({ Amount: json('text') })],
  [
    'BadModifyWorkflowPropertiesAttributes: UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.',
    { ...memo(0), modifyWorkflowPropertiesCommandAttributes: {} },
  ],
  [
    'BadUpdateWorkflowExecutionMessage: MessageID is not set on ProtocolMessageCommand.',
    { commandType: T.COMMAND_TYPE_PROTOCOL_MESSAGE, protocolMessageCommandAttributes: {} },
  ],
])('fails its task: %s', (text, command) => {
  const found = fault(command);
  expect(found && faultText(found)).toBe(text);
  expect(found?.terminates).toBe(false);
});

test.each<[string, Command]>([
  ['BadScheduleActivityAttributes: ScheduleActivityTaskCommandAttributes.Input exceeds size limit.', activity({ input: big })],
  ['BadScheduleActivityAttributes: CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.', complete({ result: big })],
  [
    'BadFailWorkflowExecutionAttributes: FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.',
    fail({ failure: { stackTrace: 'x'.repeat(2_200_000) } }),
  ],
  ['BadRecordMarkerAttributes: RecordMarkerCommandAttributes.Details exceeds size limit.', marker({ details: { d: big } })],
  ['BadModifyWorkflowPropertiesAttributes: ModifyWorkflowPropertiesCommandAttributes exceeds size limit.', memo(2_200_000)],
  ['BadModifyWorkflowPropertiesAttributes: ModifyWorkflowPropertiesCommandAttributes. Memo exceeds size limit.', memo(1_000_000)],
  ['BadSearchAttributes: search attribute City value size 3002 exceeds size limit 2048', upsert({ City: json('x'.repeat(3000)) })],
  [
    'BadSignalWorkflowExecutionAttributes: SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.',
    signal({ input: big }),
  ],
  ['BadContinueAsNewAttributes: ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.', next({ input: big })],
  [
    'BadStartChildExecutionAttributes: StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.',
    child({ memo: { fields: { m: big.payloads[0] } } }),
  ],
])('ends its run: %s', (text, command) => {
  const found = fault(command);
  expect(found && faultText(found)).toBe(text);
  expect(found?.terminates).toBe(true);
});

test('an id that PostgreSQL cannot hold fails its task', () => {
  for (const command of [
    signal({ execution: { workflowId: 'a\0b' } }),
    cancelExternal({ workflowId: 'a\0b' }),
    child({ workflowId: 'a\0b' }),
    activity({ taskQueue: { name: 'a\0b' } }),
  ]) {
    expect(fault(command)).toMatchObject({ message: expect.stringContaining('NUL'), terminates: false });
  }
});

test('a command without its attributes fails its task with the cause of its kind', () => {
  const kinds = Object.entries(T).filter(([name, type]) => typeof type === 'number' && type > 0 && !/NEXUS/.test(name));
  expect(kinds).toHaveLength(15);
  for (const [name, type] of kinds)
    expect(fault(bare(Number(type))), name).toMatchObject({
      message: expect.stringMatching(/ is not set on \w+Command\.$/),
      terminates: false,
    });
});

describe('only the worker is told, and nothing is written', () => {
  const told = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      if (error instanceof ServiceError) return `${error.code} ${error.message}`;
      throw error;
    }
    return 'fine';
  };
  test('when a command is for a namespace that does not exist', () => {
    const expected = 'NOT_FOUND Namespace no-such-namespace is not found.';
    for (const command of [signal, child, cancelExternal])
      expect(told(() => fault(command({ namespace: 'no-such-namespace' })))).toBe(expected);
  });
  test('when a kind is not known', () => {
    expect(told(() => requireCommandSequence([timer('t'), bare(0)]))).toBe('INVALID_ARGUMENT unknown command type: Unspecified');
    expect(told(() => requireCommandSequence([bare(999)]))).toBe('INVALID_ARGUMENT unknown command type: 999');
  });
  test('when something follows a command that closes the run', () => {
    expect(told(() => requireCommandSequence([complete(), timer('t')]))).toBe(
      'INVALID_ARGUMENT invalid command sequence: [CompleteWorkflowExecution, StartTimer], command CompleteWorkflowExecution must be the last command.',
    );
    expect(told(() => requireCommandSequence([timer('t'), complete()]))).toBe('fine');
  });
});

test('causes are named as clients know them', () => {
  const Cause = enums.WorkflowTaskFailedCause;
  expect(causeName(Cause.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID)).toBe('ScheduleActivityDuplicateId');
  expect(causeName(Cause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED)).toBe('PendingActivitiesLimitExceeded');
  expect(causeName(Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND)).toBe('UnhandledCommand');
});
