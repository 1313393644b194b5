/** An engine for the time of a test: the `perdure` package's development server, or the one that skips time, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import type { Duration } from '../definitions/duration.js';
import type { SearchAttributeKey, SearchAttributeType } from '../payload/search-attributes.js';
import { TypedSearchAttributes } from '../payload/search-attributes.js';

/**
 * Which program to run: the one at `path`, or the `perdure` package of the project that runs the tests, which is the default and what `cached-download` means
 * here. Nothing is ever downloaded: `downloadDir`, `version` and `ttl` have no effect.
 */
export type EphemeralServerExecutable =
  | { type: 'existing-path'; path: string }
  | { type: 'cached-download'; downloadDir?: string; version?: string; ttl?: Duration };

/** How the development server is started. */
export interface DevServerConfig {
  type?: 'dev-server';
  /** Default: the `perdure` package of the project that runs the tests. Anything that takes the field's `server start-dev` flags will do. */
  executable?: EphemeralServerExecutable;
  /** Default `127.0.0.1`. */
  ip?: string;
  /** Default: any free one. */
  port?: number;
  /** A namespace to make. Default `default`. */
  namespace?: string;
  /** Keeps the data between starts. Default: empty at every start. */
  dbFilename?: string;
  /** Serve the web page too. Default: false, unless {@link uiPort} is set. */
  ui?: boolean;
  /** Port of the web page. Default: {@link port} + 1000. */
  uiPort?: number;
  /** `level` is `warn` by default, `format` is `pretty`, which is text; the other is `json`. */
  log?: { format?: string; level?: string };
  /** Search attributes that tests use. */
  searchAttributes?: SearchAttributeKey<SearchAttributeType>[];
  /** More flags of the command line. */
  extraArgs?: string[];
}

/** How the server that skips time is started. */
export interface TimeSkippingServerConfig {
  type?: 'time-skipping';
  /** Default: the `perdure` package of the project that runs the tests. The field's own test server will do. */
  executable?: EphemeralServerExecutable;
  /** Default: any free one. */
  port?: number;
  /** What the server's clock says at the start. Default: the real time. Only with `perdure`. */
  startTime?: Date | string;
  /** More flags of the command line. With `perdure`: those of `server start-dev`, for example `--search-attribute`. */
  extraArgs?: string[];
}

/** A server that runs. */
export interface DevServer {
  readonly address: string;
  /** Settles when it ends, with the reason. */
  readonly ended: Promise<string>;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
// A test run that ends early must not leave servers behind.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a development server. It may not answer yet: connect with a timeout. */
export async function startDevServer(config: DevServerConfig = {}): Promise<DevServer> {
  const { ip = '127.0.0.1', namespace = 'default', log = {} } = config;
  const port = config.port ?? (await freePort(ip));
  const flags = ['server', 'start-dev', '--ip', ip, '--port', String(port), '--namespace', namespace];
  flags.push('--log-level', log.level ?? 'warn', '--log-format', log.format ?? 'pretty');
  if (config.uiPort !== undefined) flags.push('--ui-port', String(config.uiPort));
  else if (!config.ui) flags.push('--headless');
  if (config.dbFilename) flags.push('--db-filename', config.dbFilename);
  for (const { name, type } of config.searchAttributes ?? [])
    flags.push('--search-attribute', `${name}=${TypedSearchAttributes.toMetadataType(type)}`);
  return startServer(config.executable, [...flags, ...(config.extraArgs ?? [])], `${ip}:${port}`);
}

/** Starts a server that skips time, by the line that the field's test server takes. */
export async function startTimeSkippingServer(config: TimeSkippingServerConfig = {}): Promise<DevServer> {
  const port = config.port ?? (await freePort('127.0.0.1'));
  const from = config.startTime === undefined ? [] : ['--time-skipping-from', new Date(config.startTime).toISOString()];
  return startServer(config.executable, [String(port), ...from, ...(config.extraArgs ?? [])], `127.0.0.1:${port}`);
}

function startServer(chosen: EphemeralServerExecutable | undefined, flags: string[], address: string): DevServer {
  const [command, ...args] = executable(chosen);
  const child = spawn(command!, [...args, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
  running.add(child);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(`${command} ended with ${signal ?? `code ${code}`}`));
    child.once('error', (err) => resolve(`${command} did not start: ${err.message}`));
  });
  ended.then(() => running.delete(child));
  return {
    address,
    ended,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The command: a script of ours by this Node, or whatever the test names. */
function executable(chosen: EphemeralServerExecutable | undefined): string[] {
  if (chosen?.type === 'existing-path') return [chosen.path];
  for (const from of [path.join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      const require = createRequire(from);
      const manifest = require.resolve('perdure/package.json');
      return [process.execPath, path.join(path.dirname(manifest), (require(manifest) as { bin: { perdure: string } }).bin.perdure)];
    } catch {
      // Not installed there.
    }
  }
  throw new Error("No engine found: install the package 'perdure' as a development dependency, or name one with server.executable.path");
}

async function freePort(ip: string): Promise<number> {
  const server = net.createServer().listen(0, ip);
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
