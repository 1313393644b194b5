/**
 * Which workers a query of ListWorkers is about: the words are those of list queries for runs, the names those of a worker's heartbeat.
 * A worker of which a query says what cannot be said (an unknown name, an operator that its field does not have) is not among those it finds.
 */
import { enums, fromTimestamp, type temporal } from './api.js';
import { type Literal, parseListQuery, type QueryNode } from './list-query/parse.js';

export type Heartbeat = temporal.api.worker.v1.IWorkerHeartbeat;

const STATUS_PREFIX = 'WORKER_STATUS_';

/** `Running`, as the field writes it. */
function statusName(status: number | null | undefined): string {
  const name = enums.WorkerStatus[status ?? 0] ?? '';
  const words = name.replace(STATUS_PREFIX, '').toLowerCase().split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

const status = (h: Heartbeat): string => statusName(h.status);

const TEXTS: ReadonlyMap<string, (h: Heartbeat) => string> = new Map([
  ['WorkerInstanceKey', (h) => h.workerInstanceKey ?? ''],
  ['WorkerIdentity', (h) => h.workerIdentity ?? ''],
  ['HostName', (h) => h.hostInfo?.hostName ?? ''],
  ['TaskQueue', (h) => h.taskQueue ?? ''],
  ['DeploymentName', (h) => h.deploymentVersion?.deploymentName ?? ''],
  ['BuildId', (h) => h.deploymentVersion?.buildId ?? ''],
  ['SdkName', (h) => h.sdkName ?? ''],
  ['SdkVersion', (h) => h.sdkVersion ?? ''],
  ['WorkerStatus', status],
  ['Status', status],
  ['status', status],
]);

const TIMES: ReadonlyMap<string, (h: Heartbeat) => Heartbeat['startTime']> = new Map([
  ['StartTime', (h) => h.startTime],
  ['HeartbeatTime', (h) => h.heartbeatTime],
]);

/** What a query says makes no sense for a worker. */
class Senseless extends Error {}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339, or nanoseconds since the epoch. */
function timeOf(literal: Literal): number {
  if (literal.kind === 'number') return Number(literal.value) / 1e6;
  if (literal.kind !== 'string' || !RFC3339.test(literal.value)) throw new Senseless();
  return Date.parse(literal.value);
}

function textOf(literal: Literal, name: string): string {
  if (literal.kind !== 'string' || literal.value === '') throw new Senseless();
  return /status$/i.test(name) && literal.value.startsWith(STATUS_PREFIX)
    ? statusName((enums.WorkerStatus as unknown as Record<string, number>)[literal.value])
    : literal.value;
}

function compareText(operator: string, actual: string, asked: string): boolean {
  switch (operator) {
    case '=':
      return actual === asked;
    case '!=':
      return actual !== asked;
    case 'STARTS_WITH':
      return actual.startsWith(asked);
    case 'NOT STARTS_WITH':
      return !actual.startsWith(asked);
    default:
      throw new Senseless();
  }
}

function compareTime(operator: string, actual: number, asked: number): boolean {
  switch (operator) {
    case '=':
      return actual === asked;
    case '!=':
      return actual !== asked;
    case '<':
      return actual < asked;
    case '<=':
      return actual <= asked;
    case '>':
      return actual > asked;
    case '>=':
      return actual >= asked;
    default:
      throw new Senseless();
  }
}

function holds(node: QueryNode, heartbeat: Heartbeat): boolean {
  switch (node.type) {
    case 'and':
      return node.parts.every((part) => holds(part, heartbeat));
    case 'or':
      return node.parts.some((part) => holds(part, heartbeat));
    case 'not':
      return !holds(node.part, heartbeat);
    default:
      return conditionHolds(node, heartbeat);
  }
}

function conditionHolds(node: Condition, heartbeat: Heartbeat): boolean {
  const text = TEXTS.get(node.name)?.(heartbeat);
  if (text !== undefined) return textHolds(node, text);
  const readTime = TIMES.get(node.name);
  if (!readTime) throw new Senseless();
  return timeHolds(node, readTime(heartbeat));
}

type Condition = Extract<QueryNode, { type: 'null' } | { type: 'in' } | { type: 'compare' } | { type: 'between' }>;

function textHolds(node: Condition, text: string): boolean {
  if (node.type === 'null') return (text === '') !== node.negated;
  if (node.type === 'in') return node.values.some((value) => textOf(value, node.name) === text) !== node.negated;
  if (node.type === 'compare') return compareText(node.operator, text, textOf(node.value, node.name));
  throw new Senseless();
}

function timeHolds(node: Condition, time: Heartbeat['startTime']): boolean {
  if (node.type === 'null') return !time !== node.negated;
  const ms = fromTimestamp(time);
  if (node.type === 'compare') return compareTime(node.operator, ms, timeOf(node.value));
  if (node.type === 'in') return node.values.some((value) => timeOf(value) === ms) !== node.negated;
  const within = ms >= timeOf(node.low) && ms <= timeOf(node.high);
  return Boolean(time) && within !== node.negated;
}

/** A test for workers. Throws INVALID_ARGUMENT when the query cannot be read; an empty one is about all. */
export function workerQuery(query: string): (heartbeat: Heartbeat) => boolean {
  const { where } = parseListQuery(query);
  return (heartbeat) => {
    try {
      return !where || holds(where, heartbeat);
    } catch (error) {
      if (error instanceof Senseless) return false;
      throw error;
    }
  };
}
