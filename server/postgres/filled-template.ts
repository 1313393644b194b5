/** A template cluster with something in its database: making a schema takes longer than starting PostgreSQL, and is the same at every start. */
import { rm } from 'node:fs/promises';
import type { Logger } from '../log.js';
import type { Account } from './account.js';
import { buildOnce, makeFolder } from './build-once.js';
import { give, makeEphemeralFolder } from './places.js';
import { type Programs, runAs } from './programs.js';
import { RunningPostgres, urlOf } from './running-postgres.js';

/** What a database holds from the start. */
export interface Contents {
  /** A word for them: each has a template of its own. */
  readonly key: string;
  /** Puts them into the empty database at that URL, and closes its connections. */
  fill(url: string): Promise<void>;
}

interface FillOptions {
  /** The template to fill a copy of. */
  readonly empty: string;
  readonly contents: Contents;
  readonly programs: Programs;
  readonly account: Account | undefined;
  readonly log: Logger | undefined;
}

/** The template with those contents, made once per machine and user. The empty one when it cannot be made: what it would hold is then made at every start. */
export const ensureFilled = async ({ empty, contents, ...options }: FillOptions): Promise<string> => {
  const filled = `${empty}-${contents.key}`;
  try {
    await buildOnce(filled, (folder) => fillCopy(empty, folder, contents, options));
    return filled;
  } catch (error) {
    options.log?.warn({ why: error instanceof Error ? error.message : String(error) }, 'could not keep an embedded PostgreSQL with the schema for later starts');
    return empty;
  }
};

const fillCopy = async (empty: string, folder: string, contents: Contents, { programs, account, log }: Pick<FillOptions, 'programs' | 'account' | 'log'>): Promise<void> => {
  await makeFolder(folder);
  await give(folder, account);
  await runAs(account, 'cp', ['-Rp', `${empty}/.`, folder]);
  const sockets = await makeEphemeralFolder(account);
  const postgres = new RunningPostgres({ account, programs, folder: sockets, dataDirectory: folder, sockets, template: undefined }, { log });
  try {
    await postgres.untilReady();
    await contents.fill(urlOf(sockets));
  } finally {
    await postgres.stop();
    await rm(sockets, { recursive: true, force: true });
  }
};
