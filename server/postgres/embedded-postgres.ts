/** A real PostgreSQL as a part of this process's life: started with it, started again when it dies, never there without it. */
import { join } from 'node:path';
import { accountForPostgres } from './account.js';
import { ensureCluster, ensureTemplate } from './cluster.js';
import { type Contents, ensureFilled } from './filled-template.js';
import { sweepEphemeral, waitUntilFree, writeOwner } from './leftovers.js';
import { cacheFolder, lastingFolder, makeEphemeralFolder, socketFolder } from './places.js';
import { findPrograms } from './programs.js';
import { type Plan, RunningPostgres, type RunOptions, urlOf } from './running-postgres.js';

export interface EmbeddedPostgresOptions extends RunOptions {
  /** Where the data stays. Absent: an empty database that is gone at the end. */
  readonly folder?: string;
  /** What a database that does not last holds from the start. Default: nothing. */
  readonly contents?: Contents;
  /** Called when PostgreSQL has been launched: while it starts, this process has time for other work. */
  readonly onLaunched?: () => void;
}

export interface EmbeddedPostgres {
  /** `postgres://` URL of its socket; stays the same when PostgreSQL is started again. */
  readonly url: string;
  readonly dataDirectory: string;
  /** Set when the data could not lie where it was wanted: why. */
  readonly note: string | undefined;
  /** Stops PostgreSQL and waits until it is gone; removes its data unless they last. Calling it again is harmless. */
  stop(): Promise<void>;
}

interface PlanWithNote extends Plan {
  readonly note: string | undefined;
}

const plan = async ({ folder: wanted, contents, log }: EmbeddedPostgresOptions): Promise<PlanWithNote> => {
  const account = accountForPostgres();
  const cache = await cacheFolder(account);
  const programs = await findPrograms(account, cache);
  if (wanted === undefined) {
    const empty = await ensureTemplate(programs, account, cache);
    const template = contents === undefined ? empty : await ensureFilled({ empty, contents, programs, account, log });
    const folder = await makeEphemeralFolder(account);
    return { account, programs, folder, dataDirectory: join(folder, 'data'), sockets: folder, template, note: undefined };
  }
  const { path: folder, note } = await lastingFolder(wanted, account);
  return { account, programs, folder, dataDirectory: join(folder, 'data'), sockets: await socketFolder(folder, account), template: undefined, note };
};

/**
 * Starts PostgreSQL and returns once it accepts connections.
 * @throws {EmbeddedPostgresUnavailable} when it cannot run on this machine; an Error that says what to do when the folder cannot be used
 */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> => {
  const log = options.log;
  const where = await plan(options);
  if (where.template === undefined) {
    await waitUntilFree(where.folder, where.dataDirectory, (text) => log?.info(text));
    await ensureCluster(where.programs, where.account, where.dataDirectory);
  }
  await writeOwner(where.folder);
  const run = new RunningPostgres(where, options);
  options.onLaunched?.();
  await run.untilReady();
  if (where.template !== undefined) sweepEphemeral(where.account).catch((error: unknown) => log?.warn({ err: error }, 'could not remove what an earlier embedded PostgreSQL left'));
  return {
    url: urlOf(where.sockets),
    dataDirectory: where.dataDirectory,
    note: where.note,
    stop: () => run.stop(),
  };
};

