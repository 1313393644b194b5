/** Every setting of the server: its environment variable, its flag, its default, and how its text becomes a value. docs/configuration.md follows this table. */
import { availableParallelism } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { LogFormat, LogLevel, SearchAttributeType } from './config.js';
import { duration, json, list, oneOf, pairs, type Schema, size, textThat, time, type ValueOf, wholeNumber, wordOr } from './setting-values.js';

/** One row of the table. */
interface Setting<Value> {
  readonly env: string;
  readonly flag: string;
  /** As text, in the form a user would write; undefined: there is none, and the setting is required. */
  readonly default: string | readonly string[] | undefined;
  /** Completes the sentence "expected …". */
  readonly expected: string;
  readonly schema: Schema<Value>;
  /** The value is never shown. */
  readonly secret?: true;
}

const port = wholeNumber(0, 65535);
const host = textThat((text) => /^[A-Za-z0-9.:_%-]+$/.test(text));

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'trace', debug: 'debug', info: 'info', warn: 'warn', error: 'error', fatal: 'fatal', silent: 'silent', never: 'silent',
};
const FORMATS: Readonly<Record<string, LogFormat>> = { pretty: 'pretty', text: 'pretty', json: 'json' };

const TYPES: Readonly<Record<string, SearchAttributeType>> = {
  text: 'Text', keyword: 'Keyword', int: 'Int', double: 'Double', bool: 'Bool', datetime: 'Datetime', keywordlist: 'KeywordList',
};

const isDatabaseUrl = (text: string): boolean => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text.replace(/^postgres(ql)?:\/\/([^@/]*@)?\//, 'postgres://$2localhost/'));

const define = <T extends Record<string, Setting<unknown>>>(table: T): T => table;

export const settings = define({
  databaseUrl: {
    env: 'DATABASE_URL', flag: '--database-url', default: undefined, secret: true,
    expected: 'a URL of a PostgreSQL 15 or newer, such as postgres://user:password@host:5432/perdure',
    schema: textThat(isDatabaseUrl),
  },
  databasePoolSize: {
    env: 'PERDURE_DATABASE_POOL_SIZE', flag: '--database-pool-size', default: '10',
    expected: 'a whole number from 2 to 500', schema: wholeNumber(2, 500),
  },
  databaseWaitMs: {
    env: 'PERDURE_DATABASE_WAIT', flag: '--database-wait', default: 'forever',
    expected: 'a duration such as 30s or 5m, or "forever"',
    schema: wordOr('forever', () => Number.POSITIVE_INFINITY, duration(0)),
  },
  grpcHost: { env: 'PERDURE_GRPC_HOST', flag: '--ip', default: '127.0.0.1', expected: 'a host name or IP address', schema: host },
  grpcPort: { env: 'PERDURE_GRPC_PORT', flag: '--port', default: '7233', expected: 'a port from 0 to 65535 (0: any free one)', schema: port },
  httpHost: { env: 'PERDURE_HTTP_HOST', flag: '--http-ip', default: '127.0.0.1', expected: 'a host name or IP address', schema: host },
  httpPort: {
    env: 'PERDURE_HTTP_PORT', flag: '--http-port', default: '8233', expected: 'a port from 0 to 65535 (0: any free one), or "off"',
    schema: wordOr('off', () => 'off' as const, port),
  },
  logLevel: { env: 'PERDURE_LOG_LEVEL', flag: '--log-level', default: 'info', expected: `one of ${Object.keys(LEVELS).join(', ')}`, schema: oneOf(LEVELS) },
  logFormat: {
    env: 'PERDURE_LOG_FORMAT', flag: '--log-format', default: process.stderr.isTTY ? 'pretty' : 'json',
    expected: 'one of pretty, text, json', schema: oneOf(FORMATS),
  },
  namespaces: {
    env: 'PERDURE_NAMESPACES', flag: '--namespace', default: ['default'], expected: 'names of 1 to 1000 characters without spaces',
    schema: list((name) => name.length <= 1000 && /^\S+$/.test(name)),
  },
  retentionMs: {
    env: 'PERDURE_NAMESPACE_RETENTION', flag: '--namespace-retention', default: '3d', expected: 'a duration of at least 1h, such as 72h or 30d', schema: duration(3_600_000),
  },
  searchAttributes: {
    env: 'PERDURE_SEARCH_ATTRIBUTES', flag: '--search-attribute', default: [], expected: `Name=Type, the type one of ${Object.values(TYPES).join(', ')}`,
    schema: pairs(oneOf(TYPES)),
  },
  dynamicConfig: {
    env: 'PERDURE_DYNAMIC_CONFIG', flag: '--dynamic-config-value', default: [], expected: 'key=value with a JSON value, such as limit.maxIDLength=255 or key="text"', schema: pairs(json),
  },
  processes: {
    env: 'PERDURE_PROCESSES', flag: '--processes', default: '1', expected: 'a whole number from 1 to 64, or "auto" (one for each core)',
    schema: wordOr('auto', availableParallelism, wholeNumber(1, 64)),
  },
  placement: {
    env: 'PERDURE_PLACEMENT', flag: '--placement', default: 'packed', expected: 'one of packed, spread', schema: oneOf({ packed: 'packed', spread: 'spread' } as const),
  },
  requestsMax: {
    env: 'PERDURE_REQUESTS', flag: '--requests', default: '1000', expected: 'a whole number from 1 to 1000000', schema: wholeNumber(1, 1_000_000),
  },
  requestsQueuedMax: {
    env: 'PERDURE_REQUEST_QUEUE', flag: '--request-queue', default: '5000', expected: 'a whole number from 0 to 1000000', schema: wholeNumber(0, 1_000_000),
  },
  requestQueuedMsMax: {
    env: 'PERDURE_REQUEST_QUEUE_TIME', flag: '--request-queue-time', default: '3s', expected: 'a duration such as 3s', schema: duration(0),
  },
  requestBytesMax: {
    env: 'PERDURE_REQUEST_BYTES', flag: '--request-bytes', default: '64MiB', expected: 'a size of at least 4MiB, such as 64MiB', schema: size(4 * 1024 * 1024),
  },
  waitingCallsMax: {
    env: 'PERDURE_WAITING_CALLS', flag: '--waiting-calls', default: '50000', expected: 'a whole number from 1 to 1000000', schema: wholeNumber(1, 1_000_000),
  },
  memoryBytesMax: {
    env: 'PERDURE_MEMORY', flag: '--memory', default: 'auto', expected: 'a size of at least 64MiB, such as 1GiB, or "auto" (three quarters of what Node may use)',
    schema: wordOr('auto', () => Math.floor(getHeapStatistics().heap_size_limit * 0.75), size(64 * 1024 * 1024)),
  },
  timeSkipping: {
    env: 'PERDURE_TIME_SKIPPING', flag: '--time-skipping', default: 'off', expected: 'one of off, locked, unlocked',
    schema: oneOf({ off: 'off', locked: 'locked', unlocked: 'unlocked' } as const),
  },
  timeSkippingFromMs: {
    env: 'PERDURE_TIME_SKIPPING_FROM', flag: '--time-skipping-from', default: 'now', expected: 'a time such as 2027-01-04T09:00:00Z, or "now"',
    schema: wordOr('now', () => undefined, time),
  },
  shutdownGraceMs: {
    env: 'PERDURE_SHUTDOWN_GRACE', flag: '--shutdown-grace', default: '10s', expected: 'a duration such as 10s', schema: duration(0),
  },
});

export type SettingName = keyof typeof settings;

/** The parsed values by setting name. */
export type Settings = { [Name in SettingName]: ValueOf<(typeof settings)[Name]['schema']> };
