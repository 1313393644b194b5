/** One PostgreSQL with its watchdog, from start to stop. */
import type { ChildProcess } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.js';
import type { Account } from './account.js';
import { DATABASE } from './cluster.js';
import { writeOwner } from './leftovers.js';
import { postmasterOf } from './processes.js';
import type { Programs } from './programs.js';
import { postgresArguments } from './tuning.js';
import { startWatchdog, WATCHDOG } from './watchdog.js';

/** How long a start may take; recovery after a crash of a large database is the slow case. */
const START_MS = 120_000;
const STOP_MS = 30_000;

export interface RunOptions {
  readonly log?: Logger | undefined;
  /** False switches fsync off. Default true. */
  readonly durable?: boolean | undefined;
  /** Default 100 for a database that lasts, 40 for one that does not. */
  readonly maxConnections?: number | undefined;
}

/** What runs, as whom, and where. */
export interface Plan {
  readonly account: Account | undefined;
  readonly programs: Programs;
  /** Holds the note of who owns it. */
  readonly folder: string;
  readonly dataDirectory: string;
  readonly sockets: string;
  /** For a cluster that does not last: what it is copied from. */
  readonly template: string | undefined;
}

export const urlOf = (sockets: string): string => `postgres://${DATABASE}@localhost/${DATABASE}?host=${encodeURIComponent(sockets)}&sslmode=disable`;

export class RunningPostgres {
  private watchdog: ChildProcess;
  private stopping: Promise<void> | undefined;
  private readonly recent: string[] = [];
  /** How PostgreSQL ended before it was ready. */
  private ended = 0;

  constructor(
    private readonly where: Plan,
    private readonly options: RunOptions,
  ) {
    this.watchdog = this.launch();
  }

  private launch(): ChildProcess {
    const { where, options } = this;
    const lasting = where.template === undefined;
    const watchdog = startWatchdog({
      account: where.account,
      postgres: where.programs.postgres,
      args: postgresArguments(where.dataDirectory, {
        socketFolder: where.sockets, lasting, durable: options.durable ?? true, maxConnections: options.maxConnections ?? (lasting ? 100 : 40),
      }),
      dataDirectory: where.dataDirectory,
      socketFolder: where.sockets,
      ephemeral: where.template === undefined ? undefined : { template: where.template, folder: where.folder },
      onLine: (line) => this.heard(line),
      onExit: () => void this.watchdogGone(),
    });
    writeOwner(where.folder, watchdog.pid).catch((error: unknown) => options.log?.warn({ err: error }, 'could not note the watchdog of the embedded PostgreSQL'));
    return watchdog;
  }

  private heard(line: string): void {
    this.recent.push(line);
    if (this.recent.length > 20) this.recent.shift();
    if (!line.startsWith(WATCHDOG)) this.options.log?.debug({ room: 'postgres' }, line);
    else if (this.stopping === undefined) {
      this.ended++;
      this.options.log?.warn(`the embedded PostgreSQL ended; starting it again (${line.slice(WATCHDOG.length)})`);
    }
  }

  /** The watchdog never ends by itself: somebody killed it. PostgreSQL must not be left without one. */
  private async watchdogGone(): Promise<void> {
    if (this.stopping !== undefined) return;
    this.options.log?.warn('the watchdog of the embedded PostgreSQL was killed; starting both again');
    await stopPostmaster(this.where.dataDirectory, 'SIGINT');
    if (this.stopping === undefined) this.watchdog = this.launch();
  }

  async untilReady(): Promise<void> {
    const deadline = Date.now() + START_MS;
    const file = join(this.where.dataDirectory, 'postmaster.pid');
    for (;;) {
      const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
      if (lines[7]?.trim() === 'ready' && postmasterOf(this.where.dataDirectory) !== undefined) return;
      // the first failure may be the end of an earlier server whose children still let go of shared memory; a third one is no accident
      if (this.ended >= 3 || Date.now() > deadline) {
        await this.stop();
        if (this.where.programs.known !== undefined) await rm(this.where.programs.known, { force: true });
        throw new Error(`The embedded PostgreSQL does not start. It says:\n${this.recent.map((line) => `  ${line}`).join('\n')}`);
      }
      await sleep(5);
    }
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (this.watchdog.exitCode !== null || this.watchdog.signalCode !== null) resolve();
      else this.watchdog.once('exit', () => resolve());
    });
    this.watchdog.stdin?.end();
    const patience = new AbortController();
    await Promise.race([gone, sleep(STOP_MS, undefined, { signal: patience.signal, ref: false }).catch(() => undefined)]);
    patience.abort();
    // an immediate stop loses nothing that was committed; the next start recovers
    await stopPostmaster(this.where.dataDirectory, 'SIGQUIT');
    await gone;
    if (this.where.template !== undefined) await rm(this.where.folder, { recursive: true, force: true });
    else await rm(join(this.where.folder, 'owner'), { force: true });
  }
}

const stopPostmaster = async (dataDirectory: string, signal: NodeJS.Signals): Promise<void> => {
  const pid = postmasterOf(dataDirectory);
  if (pid === undefined) return;
  process.kill(pid, signal);
  while (postmasterOf(dataDirectory) === pid) await sleep(20);
};
