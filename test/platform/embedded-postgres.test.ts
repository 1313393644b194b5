import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountForPostgres } from '../../server/postgres/account.js';
import type { Logger } from '../../server/log.js';
import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from '../../server/postgres/embedded-postgres.js';
import { cacheFolder, EPHEMERAL_PREFIX } from '../../server/postgres/places.js';
import { identityOf, postmasterOf } from '../../server/postgres/processes.js';
import { until } from '../helpers/until.js';

const HOLDER = fileURLToPath(new URL('fixtures/hold-postgres.mjs', import.meta.url));
const isRoot = process.getuid?.() === 0;

interface Holder {
  readonly process: ChildProcess;
  readonly url: string;
  readonly dataDirectory: string;
  readonly note?: string;
  readonly error?: string;
}

let holders: Holder[];
let scratch: string;

beforeEach(async () => {
  holders = [];
  scratch = await mkdtemp(join(tmpdir(), 'embedded-'));
  await chmod(scratch, 0o755);
});

afterEach(async () => {
  await Promise.all(holders.map(stop));
  await rm(scratch, { recursive: true, force: true });
});

const hold = async (folder?: string, account?: { uid: number; gid: number }): Promise<Holder> => {
  const child = spawn(process.execPath, [HOLDER, ...(folder === undefined ? [] : [folder])], { stdio: ['pipe', 'pipe', 'inherit'], ...account, env: { ...process.env, ...(account && { HOME: '/nonexistent' }) } });
  const said = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error('The holder said nothing.')));
  });
  const holder = { process: child, ...(JSON.parse(await said) as object) } as Holder;
  holders.push(holder);
  return holder;
};

const gone = (child: ChildProcess): Promise<void> => new Promise((resolve) => (child.exitCode !== null || child.signalCode !== null ? resolve() : child.once('exit', () => resolve())));

const stop = async ({ process: child }: Holder): Promise<void> => {
  child.stdin?.end();
  await gone(child);
};

const kill = async ({ process: child }: Holder): Promise<void> => {
  child.kill('SIGKILL');
  await gone(child);
};

const query = async ({ url }: Holder, sql: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
};

const postmaster = (holder: Holder): number => {
  const pid = postmasterOf(holder.dataDirectory);
  if (pid === undefined) throw new Error(`No PostgreSQL runs on ${holder.dataDirectory}.`);
  return pid;
};

/** False for one that has ended and only waits for its parent to notice, as well. */
const runs = (pid: number): boolean => identityOf(pid) !== undefined;

/** The parent's id is the second field after the command's name. */
const parentOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);

describe('a database that does not last', () => {
  it('is empty, syncs its commits, and leaves nothing behind', async () => {
    const holder = await hold();
    expect(await query(holder, 'select count(*)::int as tables from pg_tables where schemaname = $$public$$')).toEqual([{ tables: 0 }]);
    expect(await query(holder, 'show fsync')).toEqual([{ fsync: 'on' }]);
    expect(await query(holder, 'show listen_addresses')).toEqual([{ listen_addresses: '' }]);
    const pid = postmaster(holder);
    await stop(holder);
    expect(runs(pid)).toBe(false);
    expect(existsSync(dirname(holder.dataDirectory))).toBe(false);
  });

  it('goes away with its process, even one that is killed', async () => {
    const holder = await hold();
    const pid = postmaster(holder);
    await kill(holder);
    await until('PostgreSQL to be gone', () => !runs(pid));
    await until('its folder to be gone', () => !existsSync(dirname(holder.dataDirectory)));
  });

  it('is removed by the next start when its watchdog was killed as well', async () => {
    const holder = await hold();
    const pid = postmaster(holder);
    const watchdog = parentOf(pid);
    process.kill(holder.process.pid ?? 0, 'SIGSTOP'); // so that it cannot start another watchdog
    process.kill(watchdog, 'SIGKILL');
    await kill(holder);
    await until('the watchdog to be gone', () => !runs(watchdog));
    await hold();
    await until('the orphan to be gone', () => !runs(pid));
    await until('its folder to be gone', () => !existsSync(dirname(holder.dataDirectory)));
  });

  it('starts many times side by side', async () => {
    const many = await Promise.all(Array.from({ length: 8 }, () => hold()));
    expect(new Set(many.map((holder) => holder.dataDirectory)).size).toBe(8);
    await Promise.all(many.map((holder) => query(holder, 'create table mine (id int)')));
  });

  it('comes back with its data when PostgreSQL is killed', async () => {
    const holder = await hold();
    await query(holder, 'create table kept (id int); insert into kept values (7)');
    const pid = postmaster(holder);
    process.kill(pid, 'SIGKILL');
    expect(await until('PostgreSQL to answer again', async () => (runs(pid) ? undefined : query(holder, 'select id from kept')))).toEqual([{ id: 7 }]);
  });

  it('gets a new watchdog when that is killed', async () => {
    const holder = await hold();
    await query(holder, 'create table kept (id int); insert into kept values (7)');
    const pid = postmaster(holder);
    const watchdog = parentOf(pid);
    process.kill(watchdog, 'SIGKILL');
    await until('the first PostgreSQL to be gone', () => !runs(pid));
    expect(await until('PostgreSQL to answer again', () => query(holder, 'select id from kept'))).toEqual([{ id: 7 }]);
    const next = postmaster(holder);
    await kill(holder);
    await until('the second PostgreSQL to be gone', () => !runs(next));
  });
});

describe('contents of databases that do not last', () => {
  const key = `test-${process.pid}`;
  const cache = (): Promise<string> => cacheFolder(accountForPostgres());
  const templates = async (): Promise<string[]> => readdirSync(await cache()).filter((name) => name.includes(key));
  const counted = { process: undefined as never, dataDirectory: '' };
  let running: EmbeddedPostgres[];

  beforeEach(() => {
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((one) => one.stop()));
    for (const name of await templates()) await rm(join(await cache(), name), { recursive: true });
  });

  const started = async (options: EmbeddedPostgresOptions): Promise<Holder> => {
    const postgres = await startEmbeddedPostgres(options);
    running.push(postgres);
    return { ...counted, url: postgres.url };
  };

  it('are made once, and each database has its own of them', async () => {
    let fills = 0;
    const fill = async (url: string): Promise<void> => {
      fills++;
      await query({ ...counted, url }, 'create table things as select 1 as thing');
    };
    const [one, another] = await Promise.all([started({ contents: { key, fill } }), started({ contents: { key, fill } })]);
    await query(one, 'insert into things values (2)');
    expect(await query(one, 'select count(*)::int as things from things')).toEqual([{ things: 2 }]);
    expect(await query(another, 'select count(*)::int as things from things')).toEqual([{ things: 1 }]);
    expect(fills).toBe(1);
    const other = await started({ contents: { key: `${key}-other`, fill: async () => undefined } });
    expect(await query(other, 'select to_regclass($$things$$) as things')).toEqual([{ things: null }]);
  });

  it('that cannot be made leave the database empty, say so, and leave nothing behind', async () => {
    const warnings: unknown[] = [];
    const log = { warn: (...said: unknown[]) => warnings.push(said), debug: () => undefined, info: () => undefined } as unknown as Logger;
    const fill = async (url: string): Promise<void> => {
      await query({ ...counted, url }, 'create table things as select 1 as thing');
      throw new Error('half-way');
    };
    const postgres = await started({ contents: { key, fill }, log });
    expect(await query(postgres, 'select to_regclass($$things$$) as things')).toEqual([{ things: null }]);
    expect(warnings).toEqual([[{ why: 'half-way' }, expect.stringContaining('could not keep')]]);
    expect(await templates()).toEqual([]);
  });
});

describe('a database that lasts', () => {
  it('is found again after a stop and after a kill, at the same address', async () => {
    const folder = join(scratch, 'db');
    const first = await hold(folder);
    await query(first, 'create table kept (id int); insert into kept values (1)');
    await stop(first);
    const second = await hold(folder);
    expect(second.url).toBe(first.url);
    expect(await query(second, 'show fsync')).toEqual([{ fsync: 'on' }]);
    await query(second, 'insert into kept values (2)');
    await kill(second);
    const third = await hold(folder); // at once: the second one's PostgreSQL may still be stopping
    expect(await query(third, 'select id from kept order by id')).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('is taken over from a PostgreSQL that lost its process and its watchdog', async () => {
    const folder = join(scratch, 'db');
    const first = await hold(folder);
    await query(first, 'create table kept (id int); insert into kept values (1)');
    const watchdog = parentOf(postmaster(first));
    process.kill(first.process.pid ?? 0, 'SIGSTOP');
    process.kill(watchdog, 'SIGKILL');
    await kill(first);
    const second = await hold(folder);
    expect(await query(second, 'select id from kept')).toEqual([{ id: 1 }]);
  });

  it('is refused while another process uses it, and says which', async () => {
    const folder = join(scratch, 'db');
    const first = await hold(folder);
    const second = await hold(folder);
    expect(second.error).toMatch(new RegExp(`in use by process ${first.process.pid}\\.`));
    expect(await query(first, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('starts over a half-made cluster of a killed first start', async () => {
    const folder = join(scratch, 'db');
    const dead = spawn('/bin/true');
    await gone(dead);
    const half = join(folder, `data.new-${dead.pid}`);
    await mkdir(half, { recursive: true });
    await writeFile(join(half, 'PG_VERSION'), '18\n');
    const holder = await hold(folder);
    expect(holder.error).toBeUndefined();
    expect(existsSync(half)).toBe(false);
  });

  it('starts when postmaster.pid names a living process that is not its PostgreSQL', async () => {
    const folder = join(scratch, 'db');
    const first = await hold(folder);
    await stop(first);
    // a process of the account itself: PostgreSQL by itself would take it for another server
    const foreign = spawn('/bin/sleep', ['60'], { stdio: 'ignore', ...accountForPostgres() });
    try {
      await writeFile(join(first.dataDirectory, 'postmaster.pid'), `${foreign.pid}\n${first.dataDirectory}\n`, { mode: 0o644 });
      const second = await hold(folder);
      expect(second.error).toBeUndefined();
      expect(await query(second, 'select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      foreign.kill();
    }
  });

  it('refuses data of another version, and a file where the folder should be', async () => {
    const folder = join(scratch, 'db');
    await mkdir(join(folder, 'data'), { recursive: true });
    await writeFile(join(folder, 'data', 'PG_VERSION'), '14\n');
    expect((await hold(folder)).error).toMatch(/is of PostgreSQL 14, the embedded one is 18/);
    await writeFile(join(scratch, 'file.db'), 'SQLite format 3');
    expect((await hold(join(scratch, 'file.db'))).error).toMatch(/Expected a folder .* got a file/);
  });

  it('works below a path too long for a socket', async () => {
    const folder = join(scratch, 'a'.repeat(60), 'b'.repeat(60));
    await mkdir(folder, { recursive: true });
    const holder = await hold(folder);
    expect(await query(holder, 'select 1 as one')).toEqual([{ one: 1 }]);
    const [row] = await query(holder, 'show unix_socket_directories');
    const sockets = String(row?.['unix_socket_directories']);
    expect(sockets.startsWith(folder)).toBe(false);
    await stop(holder);
    expect(existsSync(sockets)).toBe(false);
  });
});

describe.runIf(isRoot)('started by root', () => {
  it('runs PostgreSQL as somebody else', async () => {
    const holder = await hold();
    const status = readFileSync(`/proc/${postmaster(holder)}/status`, 'utf8');
    expect(/^Uid:\t(\d+)/m.exec(status)?.[1]).toBe(String(accountForPostgres()?.uid));
    expect(/^Groups:\t(.*)$/m.exec(status)?.[1]?.trim()).toBe('');
  });

  it('keeps the data elsewhere, and says so, when the folder lies below one that is closed to others', async () => {
    const home = join(scratch, 'home');
    const folder = join(home, '.perdure');
    await mkdir(home, { mode: 0o700 });
    const first = await hold(folder);
    expect(first.note).toMatch(new RegExp(`${home} is closed to the account`));
    expect(first.dataDirectory.startsWith(scratch)).toBe(false);
    try {
      await query(first, 'create table kept (id int); insert into kept values (1)');
      await stop(first);
      const second = await hold(folder);
      expect(second.dataDirectory).toBe(first.dataDirectory);
      expect(await query(second, 'select id from kept')).toEqual([{ id: 1 }]);
      await stop(second);
      await rm(folder, { recursive: true });
      const third = await hold(folder); // what was deleted does not come back
      expect(third.dataDirectory).not.toBe(first.dataDirectory);
      await stop(third);
      await rm(dirname(third.dataDirectory), { recursive: true });
    } finally {
      await rm(dirname(first.dataDirectory), { recursive: true });
    }
  });

  it('works for an ordinary user just as well, without a home', async () => {
    const account = accountForPostgres();
    const folder = join(scratch, 'theirs');
    await mkdir(folder);
    await chmod(folder, 0o777);
    const lasting = await hold(join(folder, 'db'), account);
    expect(lasting.error).toBeUndefined();
    expect(lasting.dataDirectory).toBe(join(folder, 'db', 'data'));
    const passing = await hold(undefined, account);
    expect(await query(passing, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('this run', () => {
  it('left no ephemeral cluster of a dead process in the temporary folder', async () => {
    await stop(await hold());
    for (const name of readdirSync(tmpdir()).filter((found) => found.startsWith(EPHEMERAL_PREFIX))) {
      const owner = await until('the owner note', () => readFileSync(join(tmpdir(), name, 'owner'), 'utf8')).catch(() => '');
      if (owner !== '') expect(runs(Number.parseInt(owner, 10)), `${name} is owned by a dead process`).toBe(true);
    }
  });
});
