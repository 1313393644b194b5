/** Describes task queues, and shows and sets their rate limits and weights. */
import type { temporal } from '@temporalio/proto';
import type { SetConfigOptions, TaskQueueOptions } from '../commands/task-queue.js';
import { UserError } from '../errors.js';
import { pairs, print, printJson, table } from '../output/print.js';
import { briefly, fromNow, isoTime, toMs } from '../output/time.js';
import { withServer } from '../rpc/connection.js';
import { enumName, toProtoJson } from '../rpc/open-api.js';

type Description = temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;
type Config = temporal.api.taskqueue.v1.ITaskQueueConfig;
type RateLimit = temporal.api.taskqueue.v1.IRateLimitConfig;
type Stats = temporal.api.taskqueue.v1.ITaskQueueStats;
type Update = temporal.api.workflowservice.v1.IUpdateTaskQueueConfigRequest['updateQueueRateLimit'];

const TYPES = { workflow: 1, activity: 2 } as const;
const DESCRIPTION = 'temporal.api.workflowservice.v1.DescribeTaskQueueResponse';
const CONFIG = 'temporal.api.taskqueue.v1.TaskQueueConfig';

const perSecond = (rate: number | null | undefined): string => `${Number((rate ?? 0).toPrecision(4))}/s`;
const source = (value: number | null | undefined): string =>
  enumName('temporal.api.enums.v1.RateLimitSource', value).replace('RATE_LIMIT_SOURCE_', '').toLowerCase();

export const describeTaskQueue = (options: TaskQueueOptions): Promise<void> =>
  withServer(options, async (server) => {
    const api = await server.workflows();
    const types = options.taskQueueType === undefined ? (['workflow', 'activity'] as const) : [options.taskQueueType];
    const found: [string, Description][] = [];
    for (const type of types) {
      const request = {
        namespace: options.namespace,
        taskQueue: { name: options.taskQueue },
        taskQueueType: TYPES[type],
        reportStats: true,
        reportConfig: true,
      };
      found.push([type, await api.describeTaskQueue(request)]);
    }
    if (options.output === 'json') return printJson(Object.fromEntries(found.map(([type, one]) => [type, toProtoJson(DESCRIPTION, one)])));
    print(found.map(([type, one]) => describedAs(type, one)).join('\n\n'));
  });

function describedAs(type: string, one: Description): string {
  const stats: [string, Stats][] = [
    ['all', one.stats ?? {}],
    ...Object.entries(one.statsByPriorityKey ?? {}).map(([key, of]): [string, Stats] => [key, of]),
  ];
  const rows = stats.map(([priority, of]) => [
    priority,
    String(of.approximateBacklogCount ?? 0),
    briefly(toMs(of.approximateBacklogAge) ?? 0),
    perSecond(of.tasksAddRate),
    perSecond(of.tasksDispatchRate),
  ]);
  const limit = one.effectiveRateLimit;
  const set = limit?.rateLimitSource !== undefined && source(limit.rateLimitSource) !== 'system';
  const pollers = (one.pollers ?? []).map((p) => [p.identity ?? '', fromNow(p.lastAccessTime), p.deploymentOptions?.buildId ?? '']);
  return [
    `${type.toUpperCase()} TASKS`,
    table(['PRIORITY', 'BACKLOG', 'AGE', 'ADDED', 'DISPATCHED'], rows),
    ...(set ? [`Limited to ${perSecond(limit?.requestsPerSecond)} by ${source(limit?.rateLimitSource)}.`] : []),
    ...(one.stats?.rateLimitingActive ? ['The limit holds tasks back.'] : []),
    pollers.length > 0 ? table(['POLLER', 'LAST POLL', 'BUILD'], pollers) : 'Nobody polls it.',
  ].join('\n');
}

export const getConfig = (options: TaskQueueOptions): Promise<void> =>
  withServer(options, async (server) => {
    const { namespace, taskQueue, taskQueueType = 'activity' } = options;
    const request = { namespace, taskQueue: { name: taskQueue }, taskQueueType: TYPES[taskQueueType], reportConfig: true };
    show((await (await server.workflows()).describeTaskQueue(request)).config, options);
  });

export const setConfig = (options: SetConfigOptions): Promise<void> =>
  withServer(options, async (server) => {
    const weights = weightsOf(options.fairnessKeyWeight ?? []);
    const updateQueueRateLimit = updateOf(options.queueRpsLimit, options.queueRpsLimitReason);
    const updateFairnessKeyRateLimitDefault = updateOf(options.fairnessKeyRpsLimitDefault, options.fairnessKeyRpsLimitReason);
    if (!updateQueueRateLimit && !updateFairnessKeyRateLimitDefault && !options.fairnessKeyWeight) {
      throw new UserError(
        'There is nothing to set: expected --queue-rps-limit, --fairness-key-rps-limit-default or --fairness-key-weight.',
        2,
      );
    }
    const { namespace, taskQueue, taskQueueType = 'activity', identity } = options;
    const request = {
      namespace,
      identity,
      taskQueue,
      taskQueueType: TYPES[taskQueueType],
      updateQueueRateLimit,
      updateFairnessKeyRateLimitDefault,
      ...weights,
    };
    show((await (await server.workflows()).updateTaskQueueConfig(request)).config, options);
  });

const updateOf = (limit: number | 'default' | undefined, reason = ''): Update =>
  limit === undefined ? undefined : { rateLimit: limit === 'default' ? undefined : { requestsPerSecond: limit }, reason };

interface Weights {
  setFairnessWeightOverrides: Record<string, number>;
  unsetFairnessWeightOverrides: string[];
}

function weightsOf(texts: readonly string[]): Weights {
  const weights: Weights = { setFairnessWeightOverrides: {}, unsetFairnessWeightOverrides: [] };
  for (const text of texts) {
    const [, key = '', weight = ''] = /^(.+)=([^=]+)$/.exec(text) ?? [];
    if (weight === 'default') weights.unsetFairnessWeightOverrides.push(key);
    else if (Number(weight) > 0) weights.setFairnessWeightOverrides[key] = Number(weight);
    else throw new UserError(`--fairness-key-weight: expected key=weight with a weight above zero, or key=default, got ${text}.`, 2);
  }
  return weights;
}

function show(config: Config | null | undefined, options: TaskQueueOptions): void {
  if (options.output === 'json') {
    printJson(config ? toProtoJson(CONFIG, config) : {});
    return;
  }
  const weights = Object.entries(config?.fairnessWeightOverrides ?? {});
  const lines = [
    ...limitLines('Queue limit', config?.queueRateLimit),
    ...limitLines('Limit of each fairness key', config?.fairnessKeysRateLimitDefault),
    ...weights.map(([key, weight]): [string, string] => [`Weight of ${key}`, String(weight)]),
  ];
  print(lines.length > 0 ? pairs(lines) : `Nothing is set for task queue "${options.taskQueue}".`);
}

function limitLines(name: string, limit: RateLimit | null | undefined): [string, string][] {
  if (!limit) return [];
  const { reason, updateIdentity, updateTime } = limit.metadata ?? {};
  const by = [updateIdentity && `by ${updateIdentity}`, isoTime(updateTime), reason && `(${reason})`].filter(Boolean).join(' ');
  return [[name, `${limit.rateLimit ? perSecond(limit.rateLimit.requestsPerSecond) : 'none'}, set ${by}`]];
}
