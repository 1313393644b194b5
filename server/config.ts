/**
 * Configuration: flags and environment in, one frozen Config out. Flags win over the environment, the environment over defaults.
 * Every bad setting is reported at once, each with its key, what was expected and what came.
 */
import { settings, type SettingName, type Settings } from './settings.js';

/** From which level on the server writes to its log. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
/** `pretty` for people, one JSON object a line for machines. */
export type LogFormat = 'pretty' | 'json';
/** The types a search attribute can have. */
export type SearchAttributeType = 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

/** Where a port is opened. */
export interface Address {
  /** A name or an IP address; `0.0.0.0` for all of the machine's. */
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
}

/** A namespace to register. */
export interface NamespaceConfig {
  /** At most 1,000 bytes. */
  readonly name: string;
  /** How long closed runs are kept. */
  readonly retentionMs: number;
}

/** How much one process takes on before it refuses work with RESOURCE_EXHAUSTED. */
export interface LoadConfig {
  /** Requests in work at once. */
  readonly requestsMax: number;
  /** Requests that wait for their turn, of each line. */
  readonly queuedMax: number;
  /** How long one waits before it is refused. */
  readonly queuedMsMax: number;
  /** Bytes of the requests in work. */
  readonly requestBytesMax: number;
  /** Long polls and callers that wait for a worker. */
  readonly waitingMax: number;
  /** Memory in use above which nothing new is taken on. */
  readonly memoryBytesMax: number;
}

/** All settings of a process, frozen. */
export interface Config {
  /** A `postgres://` URL. With an embedded PostgreSQL it names that one's socket. */
  readonly databaseUrl: string;
  /** Connections this process opens at most, the listening one included. */
  readonly databasePoolSize: number;
  /** How long a start waits for a database that does not answer yet; Infinity: as long as it takes. */
  readonly databaseWaitMs: number;
  /** Engine processes behind the one port. */
  readonly processes: number;
  /** How they share connections: on as few as can do the work, or on all in turn. */
  readonly placement: 'packed' | 'spread';
  /** Where the open workflow API is served. */
  readonly grpc: Address;
  /** Undefined: no HTTP port at all. */
  readonly http: Address | undefined;
  /** What is written to standard error: from which `level` on, and in which `format`. */
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Registered at start when missing; an existing one is left as it is. */
  readonly namespaces: readonly NamespaceConfig[];
  /** Custom search attributes to add at start. */
  readonly searchAttributes: Readonly<Record<string, SearchAttributeType>>;
  /** The field's dynamic configuration keys, values as parsed from JSON. Unknown keys are kept and ignored. */
  readonly dynamicConfig: Readonly<Record<string, unknown>>;
  /** How much this process takes on at once. */
  readonly load: LoadConfig;
  /** How long a stop waits for calls under way before it cuts them off. */
  readonly shutdownGraceMs: number;
  /** For tests: the clock jumps over times in which nothing happens; with a lock at the start that a client takes away, or without. */
  readonly timeSkipping: 'off' | 'locked' | 'unlocked';
  /** Where that clock starts; undefined: at the real time. */
  readonly timeSkippingFromMs: number | undefined;
}

/** One setting that cannot be used. */
export interface ConfigProblem {
  /** Where the value came from: a flag (`--port`), an environment variable, or the key alone when it is missing. */
  readonly key: string;
  /** In words, such as `a port from 0 to 65535`. */
  readonly expected: string;
  /** As JSON, shortened; not shown where it may be a secret. */
  readonly got: string;
}

/** The configuration cannot be used; the message lists all problems, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(
    /** At least one. */
    readonly problems: readonly ConfigProblem[],
  ) {
    super(['The configuration cannot be used:', ...problems.map((p) => `  ${p.key}: expected ${p.expected}, got ${p.got}`)].join('\n'));
  }
}

/** What the command line gave, by setting; a list for what may be repeated. */
export type Flags = { readonly [Name in SettingName]?: string | readonly string[] | undefined };

/**
 * Reads the configuration.
 * @param env the environment, for example `process.env`
 * @param flags values from the command line, as text, by setting name
 * @throws {ConfigError} naming every bad setting
 */
export const readConfig = (env: Readonly<Record<string, string | undefined>>, flags: Flags = {}): Config => {
  const problems: ConfigProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(settings) as SettingName[]) {
    const setting = settings[name];
    const flag = flags[name];
    const fromFlag = flag !== undefined && !(Array.isArray(flag) && flag.length === 0);
    const fromEnv = env[setting.env] !== undefined && env[setting.env] !== '';
    const raw = fromFlag ? flag : fromEnv ? env[setting.env] : setting.default;
    const key = fromFlag ? setting.flag : setting.env;
    if (raw === undefined) {
      problems.push({ key, expected: setting.expected, got: 'nothing' });
      continue;
    }
    const parsed = setting.schema.safeParse(raw);
    if (parsed.success) values[name] = parsed.data;
    else problems.push({ key, expected: setting.expected, got: 'secret' in setting ? 'something else (not shown)' : shown(raw) });
  }
  if (values.timeSkipping !== 'off' && Number(values.processes) > 1)
    problems.push({ key: settings.processes.flag, expected: '1 with time skipping, whose clock is in one process', got: String(values.processes) });
  if (problems.length > 0) throw new ConfigError(problems);
  return assemble(values as unknown as Settings);
};

const shown = (raw: string | readonly string[]): string => {
  const text = JSON.stringify(raw);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
};

const assemble = (s: Settings): Config => {
  const httpPort = s.httpPort;
  return deepFreeze({
    databaseUrl: s.databaseUrl,
    databasePoolSize: s.databasePoolSize,
    databaseWaitMs: s.databaseWaitMs,
    processes: s.processes,
    placement: s.placement,
    grpc: { host: s.grpcHost, port: s.grpcPort },
    http: httpPort === 'off' ? undefined : { host: s.httpHost, port: httpPort },
    log: { level: s.logLevel, format: s.logFormat },
    namespaces: s.namespaces.map((name) => ({ name, retentionMs: s.retentionMs })),
    searchAttributes: s.searchAttributes,
    dynamicConfig: s.dynamicConfig,
    load: {
      requestsMax: s.requestsMax,
      queuedMax: s.requestsQueuedMax,
      queuedMsMax: s.requestQueuedMsMax,
      requestBytesMax: s.requestBytesMax,
      waitingMax: s.waitingCallsMax,
      memoryBytesMax: s.memoryBytesMax,
    },
    shutdownGraceMs: s.shutdownGraceMs,
    timeSkipping: s.timeSkipping,
    timeSkippingFromMs: s.timeSkippingFromMs,
  });
};

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
};

/** Environment variables that begin with PERDURE_ but mean nothing to anyone here: most likely a typing mistake. */
export const unknownVariables = (env: Readonly<Record<string, string | undefined>>): string[] => {
  const known = new Set<string>(Object.values(settings).map((s) => s.env));
  return Object.keys(env).filter((key) => key.startsWith('PERDURE_') && !known.has(key) && !readElsewhere.has(key));
};

/** Read by the CLI, the SDK and the examples, not by the server; and by the crash points of its tests. */
const readElsewhere = new Set(['PERDURE_CRASH_AT', 'PERDURE_ADDRESS', 'PERDURE_HTTP_ADDRESS', 'PERDURE_NAMESPACE', 'PERDURE_MODEL', 'PERDURE_DATA_DIR', 'PERDURE_BUNDLE_CACHE']);
