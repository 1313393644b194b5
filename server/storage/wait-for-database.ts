/** Waits for a database that does not answer yet, and tells apart what waiting cures from what it does not. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../log.js';
import pg from './driver.js';

export interface WaitOptions {
  /** Infinity: as long as it takes. */
  readonly waitMs: number;
  readonly log?: Logger;
  readonly signal?: AbortSignal;
}

/** The database answered, and waiting will not make it let us in; or the wait was over. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/** SQLSTATEs with which a server says "not now": starting up, shutting down, too many connections, an administrator's command. */
const NOT_NOW = new Set(['57P03', '57P01', '57P02', '53300']);

/** What the network says of a host that is not there yet. */
const NOT_THERE = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE', 'ENOENT']);

const CONNECT_MS = 5_000;
const SAY_EVERY_MS = 5_000;

/**
 * Returns once a connection could be made.
 * @throws {DatabaseUnavailable} at once for a wrong password, an unknown database and the like; otherwise when the time is over
 */
export const waitForDatabase = async (url: string, options: WaitOptions): Promise<void> => {
  const started = Date.now();
  let saidAt = Number.NEGATIVE_INFINITY;
  let pauseMs = 50;
  for (;;) {
    options.signal?.throwIfAborted();
    const problem = await tryConnect(url);
    if (problem === undefined) {
      if (saidAt > 0) options.log?.info(`the database answers, after ${Math.round((Date.now() - started) / 1000)} s`);
      return;
    }
    const text = `${describe(url)}: ${messageOf(problem)}`;
    if (!passes(problem)) throw new DatabaseUnavailable(`Cannot use the database ${text}.`, { cause: problem });
    const left = started + options.waitMs - Date.now();
    if (left <= 0) throw new DatabaseUnavailable(`The database did not answer within ${options.waitMs} ms (${text}).`, { cause: problem });
    if (Date.now() - saidAt >= SAY_EVERY_MS) {
      options.log?.warn(`waiting for the database ${text}`);
      saidAt = Date.now();
    }
    await sleep(Math.min(pauseMs, left), undefined, { signal: options.signal });
    pauseMs = Math.min(pauseMs * 2, 1_000);
  }
};

const tryConnect = async (url: string): Promise<Error | undefined> => {
  const client = new pg.Client({ connectionString: url, application_name: 'perdure', connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => undefined); // after the answer we do not care
  try {
    await client.connect();
    await client.query('select 1');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Whether waiting may cure a failure: the database is not there at the moment. */
export const passes = (problem: Error): boolean => {
  const errors = problem instanceof AggregateError ? (problem.errors as Error[]) : [problem];
  return errors.every((error) => {
    const code = (error as { code?: string }).code;
    return code === undefined ? /timeout|Connection terminated|connection error|not queryable/i.test(error.message) : NOT_NOW.has(code) || NOT_THERE.has(code);
  });
};

const messageOf = (problem: Error): string =>
  problem instanceof AggregateError ? (problem.errors as Error[]).map((error) => error.message).join('; ') : problem.message.replace(/\.$/, '');

/** Host, port and name: what helps to find the mistake, and no password. */
export const describe = (url: string): string => {
  const { host, port, database } = new pg.Client({ connectionString: url });
  return host.startsWith('/') ? `"${database}" at the socket in ${host}` : `"${database}" at ${host}:${port}`;
};
