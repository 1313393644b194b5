/** The process: read the configuration, bring up the database and the server, say where they are, stop on a signal, return the exit code. */
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, ConfigError, type Flags, readConfig, unknownVariables } from './config.js';
import { dynamicLimits } from './dynamic-limits.js';
import { createLogger, type Logger } from './log.js';
import { onNpmGone } from './npm-parent.js';
import type { EmbeddedPostgres } from './postgres/embedded-postgres.js';
import { schemaKey } from './storage/migration-files.js';

/** What the composition root makes. */
export interface RunnableServer {
  /** Answers with `host:port` of each port; `httpAddress` is empty where HTTP is off. */
  start(): Promise<{ grpcAddress: string; httpAddress: string }>;
  /** Settles when all is closed. */
  stop(): Promise<void>;
}

/** The composition root, or what a test puts in its place. */
export type CreateServer = (options: { config: Config; log: Logger }) => Promise<RunnableServer>;

/** What {@link serve} runs. */
export interface ServeOptions {
  /** `url` for the one that the configuration names; `embedded` without a `folder` is an empty one that is gone at the end. */
  readonly database: { readonly kind: 'url' } | { readonly kind: 'embedded'; readonly folder?: string };
  /** What the command line gave; it goes before the environment. */
  readonly flags: Flags;
  /** Dynamic configuration for what neither flags nor environment say. */
  readonly dynamicDefaults?: Readonly<Record<string, unknown>>;
  /** Settings by their variables' names, for example `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Lines for people: addresses and where the data lies. Default: standard output. */
  readonly print?: (line: string) => void;
  /** Default: the composition root. */
  readonly createServer?: CreateServer;
}

/** What a parent process hears over its channel once the server is ready. */
export interface ReadyMessage {
  readonly type: 'ready';
  /** `host:port`, the port that was chosen where 0 was asked for. */
  readonly grpcAddress: string;
  /** `host:port`; empty where HTTP is off. */
  readonly httpAddress: string;
  /** With its password, if it has one. */
  readonly databaseUrl: string;
  /** Of an embedded PostgreSQL. */
  readonly dataDirectory?: string;
}

/** Of the package `@perdure/server`. */
export const version = (createRequire(import.meta.url)('@perdure/server/package.json') as { version: string }).version;

/**
 * Serves until told to stop: SIGINT, SIGTERM, SIGHUP, or the end of a parent process that opened a channel. A second signal ends it at once.
 * @returns the exit code: 0 after a clean stop, 1 when it could not start or not stop cleanly, 2 for a bad configuration
 */
export const serve = async (options: ServeOptions): Promise<number> => {
  const print = options.print ?? ((line: string) => void process.stdout.write(`${line}\n`));
  let config: Config;
  try {
    // the embedded database's address is known only once it runs
    const pending = options.database.kind === 'embedded' ? { databaseUrl: 'postgres://embedded' } : {};
    config = withDefaults(readConfig(options.env, { ...options.flags, ...pending }), options.dynamicDefaults);
    dynamicLimits(config.dynamicConfig);
    if (config.timeSkipping !== 'off') refuseLastingData(options.database);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`perdure: ${error.message}\n`);
    return 2;
  }
  const log = createLogger(config.log);
  for (const name of unknownVariables(options.env)) log.warn(`${name} is set, but no setting has that name`);
  const stop = stopSignal(log);
  const life = new Life(config, options, log, print);
  let code = 0;
  try {
    await life.start(stop.signal);
    await aborted(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) {
      log.fatal(isDefect(error) || log.isLevelEnabled('debug') ? { err: error } : {}, `could not start: ${error instanceof Error ? error.message : String(error)}`);
      code = 1;
    }
  }
  if (!(await life.end())) code = 1;
  stop.dispose();
  return code;
};

const withDefaults = (config: Config, defaults: ServeOptions['dynamicDefaults']): Config =>
  defaults ? Object.freeze({ ...config, dynamicConfig: Object.freeze({ ...defaults, ...config.dynamicConfig }) }) : config;

/** Runs that are to outlive the process must not live by a clock that jumps. */
const refuseLastingData = (database: ServeOptions['database']): void => {
  const lasting = database.kind === 'url' ? 'that of DATABASE_URL' : database.folder && `that in ${database.folder}`;
  if (!lasting) return;
  const expected = 'off, or a database that is empty at every start (server start-dev without --db-filename)';
  throw new ConfigError([{ key: 'PERDURE_TIME_SKIPPING', expected, got: lasting }]);
};

/** What the text of an error does not explain. */
const isDefect = (error: unknown): boolean => !(error instanceof Error) || [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);

/** On top of the grace for calls under way: for closing what a server has open. */
const STOP_MARGIN_MS = 3_000;

/** What one run of the process holds, and gives back in the opposite order. */
class Life {
  private postgres: EmbeddedPostgres | undefined;
  private server: RunnableServer | undefined;

  constructor(
    private readonly config: Config,
    private readonly options: ServeOptions,
    private readonly log: Logger,
    private readonly print: (line: string) => void,
  ) {}

  async start(signal: AbortSignal): Promise<void> {
    const { options, print } = this;
    const load = (): Promise<CreateServer> => (options.createServer ? Promise.resolve(options.createServer) : loadCreateServer());
    const config = await this.withDatabase(() => {
      if (this.config.processes === 1) void load().catch(() => undefined);
    });
    const { describe } = await loadWaiting();
    signal.throwIfAborted();
    const { grpcAddress, httpAddress } = await this.bringUp(config, load, signal);
    print(`Perdure ${version}`);
    print(`  gRPC      ${grpcAddress}`);
    print(`  HTTP      ${httpAddress === '' ? 'off' : `http://${httpAddress} (/healthz, /readyz, /metrics)`}`);
    print(`  Database  ${this.whereDataLies(describe(config.databaseUrl))}`);
    if (config.timeSkipping !== 'off') print('  Clock     skips times in which nothing happens: for tests only');
    const message: ReadyMessage = { type: 'ready', grpcAddress, httpAddress, databaseUrl: config.databaseUrl, ...(this.postgres && { dataDirectory: this.postgres.dataDirectory }) };
    process.send?.(message);
  }

  /** A database that goes away while the server comes up is waited for like one that is not there yet. */
  private async bringUp(config: Config, load: () => Promise<CreateServer>, signal: AbortSignal): Promise<{ grpcAddress: string; httpAddress: string }> {
    const { log } = this;
    const waitUntilMs = Date.now() + config.databaseWaitMs;
    const { passes, waitForDatabase } = await loadWaiting();
    const databaseGone = (error: unknown): boolean => error instanceof Error && (passes(error) || databaseGone(error.cause));
    for (;;) {
      await waitForDatabase(config.databaseUrl, { waitMs: Math.max(0, waitUntilMs - Date.now()), log, signal });
      try {
        this.server = config.processes > 1 ? await groupOf(config, log) : await (await load())({ config, log });
        signal.throwIfAborted();
        return await this.server.start();
      } catch (error) {
        if (signal.aborted || Date.now() >= waitUntilMs || !databaseGone(error)) throw error;
        log.warn('the database went away while the server came up');
        await this.stopServer();
        this.server = undefined;
      }
    }
  }

  /** @param meanwhile called when there is nothing to do but wait for the database: loading the server takes about as long */
  private async withDatabase(meanwhile: () => void): Promise<Config> {
    const { config, log, options } = this;
    if (options.database.kind === 'url') {
      meanwhile();
      return config;
    }
    const { startEmbeddedPostgres } = await import('./postgres/embedded-postgres.js');
    const contents = { key: schemaKey(), fill: makeSchema };
    this.postgres = await startEmbeddedPostgres({ ...(options.database.folder !== undefined && { folder: options.database.folder }), contents, log, onLaunched: meanwhile });
    if (this.postgres.note !== undefined) log.warn(`the data lies in ${this.postgres.dataDirectory}, because ${this.postgres.note}`);
    return Object.freeze({ ...config, databaseUrl: this.postgres.url });
  }

  private whereDataLies(url: string): string {
    if (this.postgres === undefined) return url;
    const lasting = this.options.database.kind === 'embedded' && this.options.database.folder !== undefined;
    return lasting ? `embedded PostgreSQL, data in ${this.postgres.dataDirectory}` : 'embedded PostgreSQL, empty at every start (--db-filename keeps the data)';
  }

  /** @returns false when the server had to be left to its fate */
  async end(): Promise<boolean> {
    const clean = await this.stopServer();
    await this.postgres?.stop();
    return clean;
  }

  /** Bounded: what it waits for (calls, the database) may never come, and whoever stops a process kills it a little later. */
  private async stopServer(): Promise<boolean> {
    const limitMs = this.config.shutdownGraceMs + STOP_MARGIN_MS;
    const patience = new AbortController();
    const late = sleep(limitMs, 'late', { signal: patience.signal }).catch(() => 'late');
    try {
      if ((await Promise.race([this.server?.stop(), late])) !== 'late') return true;
      this.log.error(`the server did not stop within ${limitMs} ms; what was committed is safe`);
    } catch (error) {
      this.log.error({ err: error }, 'the server did not stop cleanly');
    } finally {
      patience.abort();
    }
    return false;
  }
}

/** The schema in a database that is there to be copied. */
const makeSchema = async (url: string): Promise<void> => {
  const [{ migrate }, { forgetClusterId }] = await Promise.all([import('./storage/migrate.js'), import('./storage/cluster.js')]);
  await migrate(url);
  await forgetClusterId(url);
};

// what an embedded database starts without is loaded while it starts
const loadWaiting = () => import('./storage/wait-for-database.js');

const loadCreateServer = async (): Promise<CreateServer> => (await import('./server.js')).createServer;

const groupOf = async (config: Config, log: Logger): Promise<RunnableServer> =>
  (await import('./process-group.js')).createProcessGroup({ config, log, processes: config.processes });

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const SAME_REQUEST_MS = 1_000;

/** A signal that the first request to stop aborts. */
const stopSignal = (log: Logger): { signal: AbortSignal; dispose: () => void } => {
  const controller = new AbortController();
  let askedAt = 0;
  const ask = (reason: string): void => {
    if (controller.signal.aborted) {
      // npm and npx pass on the Ctrl-C that the terminal has already sent
      if (Date.now() - askedAt > SAME_REQUEST_MS) process.exit(130);
      return;
    }
    askedAt = Date.now();
    log.info(`stopping (${reason})`);
    controller.abort();
  };
  const onSignal = (name: NodeJS.Signals): void => {
    // a terminal that closes ends what it started; `nohup`, whose wish Node forgets, has no terminal to close
    if (name !== 'SIGHUP' || process.stdout.isTTY) ask(name);
  };
  const onDisconnect = (): void => {
    if (!controller.signal.aborted) ask('the parent process ended');
  };
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of signals) process.on(name, onSignal);
  process.on('disconnect', onDisconnect);
  const unwatch = onNpmGone(() => ask('the npm that started this process ended'));
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of signals) process.off(name, onSignal);
      process.off('disconnect', onDisconnect);
      unwatch();
    },
  };
};
