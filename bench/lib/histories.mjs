/** Histories in the JSON of the open API, made to measure. */

const json = (value) => ({
  metadata: { encoding: Buffer.from('json/plain').toString('base64') },
  data: Buffer.from(JSON.stringify(value)).toString('base64'),
});
const RUN_ID = '01890000-0000-7000-8000-000000000001';

/** A completed run that called `step` so many times, one after the other: six events each. */
export function sequentialHistory(workflowType, steps) {
  const events = [];
  const add = (type, name, attributes) => {
    const id = events.length + 1;
    const eventTime = new Date(Date.UTC(2030, 0, 1) + id * 100).toISOString();
    events.push({
      eventId: String(id),
      eventTime,
      taskId: String(1000 + id),
      eventType: `EVENT_TYPE_${type}`,
      [`${name}EventAttributes`]: attributes,
    });
    return String(id);
  };
  const taskQueue = { name: 'bench' };
  const task = () => {
    const scheduledEventId = add('WORKFLOW_TASK_SCHEDULED', 'workflowTaskScheduled', { taskQueue });
    const startedEventId = add('WORKFLOW_TASK_STARTED', 'workflowTaskStarted', { scheduledEventId });
    const sdkMetadata = events.length < 4 ? { coreUsedFlags: [1, 2, 3], langUsedFlags: [1, 2] } : {};
    return add('WORKFLOW_TASK_COMPLETED', 'workflowTaskCompleted', { scheduledEventId, startedEventId, sdkMetadata });
  };
  add('WORKFLOW_EXECUTION_STARTED', 'workflowExecutionStarted', {
    workflowType: { name: workflowType },
    taskQueue,
    input: { payloads: [json(steps)] },
    workflowTaskTimeout: '10s',
    originalExecutionRunId: RUN_ID,
    firstExecutionRunId: RUN_ID,
    attempt: 1,
  });
  let workflowTaskCompletedEventId = task();
  for (let i = 1; i <= steps; i++) {
    const scheduledEventId = add('ACTIVITY_TASK_SCHEDULED', 'activityTaskScheduled', {
      activityId: String(i),
      activityType: { name: 'step' },
      taskQueue,
      input: { payloads: [json(i - 1)] },
      startToCloseTimeout: '60s',
      workflowTaskCompletedEventId,
    });
    const startedEventId = add('ACTIVITY_TASK_STARTED', 'activityTaskStarted', { scheduledEventId, attempt: 1 });
    add('ACTIVITY_TASK_COMPLETED', 'activityTaskCompleted', {
      scheduledEventId,
      startedEventId,
      result: { payloads: [json(`step ${i}`)] },
    });
    workflowTaskCompletedEventId = task();
  }
  add('WORKFLOW_EXECUTION_COMPLETED', 'workflowExecutionCompleted', {
    result: { payloads: [json(`step ${steps}`)] },
    workflowTaskCompletedEventId,
  });
  return { events };
}
