/** `perdure server …`: the verbs that run the engine. They alone load the server package. */
import { type Command, Option } from 'commander';
import { collect } from '../options.js';

/** What the field's own command knows and what means nothing here (its SQLite, its web page, its client side): taken, and without effect. */
const WITHOUT_EFFECT = [
  '--sqlite-pragma <pragma>', '--ui-asset-path <path>', '--ui-codec-endpoint <url>', '--ui-public-path <path>', '--log-config', '--color <when>', '--metrics-port <port>',
  '--command-timeout <duration>', '--client-connect-timeout <duration>', '--time-format <format>', '--output <format>', '--env <name>', '--env-file <path>',
  '--config-file <path>', '--profile <name>', '--disable-config-env', '--disable-config-file', '--no-json-shorthand-payloads',
];

const common = (command: Command): Command =>
  command
    .option('-p, --port <port>', 'gRPC port, 0 for any free one (default: 7233)')
    .option('--ip <address>', 'address that the gRPC port binds to (default: 127.0.0.1)')
    .option('--http-port <port>', 'port of /healthz, /readyz, /metrics; 0 for any free one, "off" for none')
    .option('--http-ip <address>', 'address that the HTTP port binds to')
    .option('-n, --namespace <name>', 'a namespace to make when it is missing (repeatable; "default" is always there)', collect)
    .option('--namespace-retention <duration>', 'how long closed runs of those namespaces stay (default: 3d)')
    .option('--search-attribute <Name=Type>', 'a custom search attribute to add (repeatable)', collect)
    .option('--dynamic-config-value <key=json>', 'a dynamic configuration value (repeatable)', collect)
    .option('--log-level <level>', 'trace, debug, info, warn, error, never (default: info)')
    .option('--log-format <format>', 'pretty or json (default: pretty on a terminal)')
    .option('--processes <n>', 'engine processes behind the port, "auto" for one a core (default: 1)')
    .option('--placement <how>', 'how they share connections: "packed" on as few as can do the work, or "spread" (default: packed)')
    .option('--requests <n>', 'requests in work at once (default: 1000)')
    .option('--request-queue <n>', 'requests that wait for their turn before more are refused (default: 5000)')
    .option('--request-queue-time <duration>', 'how long a request waits for its turn before it is refused (default: 3s)')
    .option('--request-bytes <size>', 'bytes of the requests in work (default: 64MiB)')
    .option('--waiting-calls <n>', 'long polls, and callers that wait for a worker, at once (default: 50000)')
    .option('--memory <size>', 'memory in use above which nothing new is taken on (default: three quarters of what Node may use)')
    .option('--shutdown-grace <duration>', 'how long a stop waits for calls under way (default: 10s)')
    .option('--database-pool-size <n>', 'connections to the database at most (default: 10)')
    .option('--database-wait <duration>', 'how long to wait for a database that does not answer yet (default: forever)');

export const addServerCommands = (program: Command): void => {
  const server = program.command('server').description('run the engine');

  const dev = common(server.command('start-dev'))
    .description('run the engine with a PostgreSQL of its own, empty at every start unless --db-filename is given; DATABASE_URL replaces that PostgreSQL')
    .option('-f, --db-filename <path>', 'folder that keeps the data between starts')
    .option('--headless', 'nobody looks: the HTTP port is any free one unless it is named')
    .option('--time-skipping [state]', 'for tests: the clock jumps over times in which nothing happens; "locked" until a client unlocks it (default), or "unlocked". Always a PostgreSQL of its own')
    .option('--time-skipping-from <time>', 'where that clock starts, such as 2027-01-04T09:00:00Z (default: now)')
    .option('--ui-port <port>', 'the same as --http-port (default: --port + 1000)')
    .option('--ui-ip <address>', 'the same as --http-ip (default: that of --ip)')
    .action(async (options: StartOptions) => (await import('../actions/start-server.js')).startDev(options));
  for (const flags of WITHOUT_EFFECT) dev.addOption(new Option(flags).hideHelp());

  common(server.command('start'))
    .description('run the engine on the PostgreSQL that DATABASE_URL names')
    .option('--database-url <url>', 'instead of the environment variable DATABASE_URL (others can read it in the process list)')
    .action(async (options: StartOptions) => (await import('../actions/start-server.js')).start(options));

  server
    .command('health')
    .description('ask a running engine whether it is ready; the exit code is 1 if not')
    .option('--http-address <host:port>', 'its HTTP port', `127.0.0.1:${process.env['PERDURE_HTTP_PORT'] ?? '8233'}`)
    .action(async (options: { httpAddress: string }) => (await import('../actions/health.js')).health(options.httpAddress));
};

/** As commander gives them: text, or a list of what was repeated. */
export interface StartOptions {
  readonly port?: string;
  readonly ip?: string;
  readonly httpPort?: string;
  readonly httpIp?: string;
  readonly uiPort?: string;
  readonly uiIp?: string;
  readonly headless?: boolean;
  readonly dbFilename?: string;
  readonly namespace?: readonly string[];
  readonly namespaceRetention?: string;
  readonly searchAttribute?: readonly string[];
  readonly dynamicConfigValue?: readonly string[];
  readonly logLevel?: string;
  readonly logFormat?: string;
  readonly processes?: string;
  readonly placement?: string;
  readonly requests?: string;
  readonly requestQueue?: string;
  readonly requestQueueTime?: string;
  readonly requestBytes?: string;
  readonly waitingCalls?: string;
  readonly memory?: string;
  readonly shutdownGrace?: string;
  readonly timeSkipping?: string | true;
  readonly timeSkippingFrom?: string;
  readonly databaseUrl?: string;
  readonly databasePoolSize?: string;
  readonly databaseWait?: string;
}
