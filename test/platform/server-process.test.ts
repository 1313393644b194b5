import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { temporal } from '@temporalio/proto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EPHEMERAL_PREFIX } from '../../server/postgres/places.js';
import { identityOf, postmasterOf } from '../../server/postgres/processes.js';
import { killAfterEach, Perdure, perdure, run } from '../helpers/perdure-process.js';
import { createDatabase, type TestDatabase, useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';

killAfterEach();

const startWorkflow = (address: string, id: string): Promise<unknown> => run(['workflow', 'start', '--address', address, '--type', 'anything', '-t', 'nobody', '-w', id, '-o', 'json']);

const show = async (address: string, id: string): Promise<number> => (await run(['workflow', 'show', id, '--address', address])).code ?? 99;

/** Connections to a port of this machine that are established, by the system's own table. */
const connections = (port: number): number => {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/));
  return rows.filter((columns) => columns[1]?.endsWith(wanted) === true && columns[3] === '01').length;
};

/** The folder of the ephemeral cluster that a process owns. */
const clusterOf = (server: Perdure): Promise<string> =>
  until('the cluster', () =>
    readdirSync(tmpdir())
      .filter((name) => name.startsWith(EPHEMERAL_PREFIX))
      .map((name) => join(tmpdir(), name))
      .find((folder) => existsSync(join(folder, 'owner')) && readFileSync(join(folder, 'owner'), 'utf8').startsWith(`${server.child.pid} `)),
  );

/** A way to a database that can be closed and opened. */
const gate = async (url: string): Promise<{ url: string; open(): Promise<void>; close(): Promise<void> }> => {
  const socket = `${new URL(url).searchParams.get('host')}/.s.PGSQL.5432`;
  const clients = new Set<Socket>();
  let server: Server | undefined;
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address() as { port: number };
      probe.close(() => resolve(address.port));
    });
  });
  return {
    url: `postgres://perdure@127.0.0.1:${port}${new URL(url).pathname}?sslmode=disable`,
    open: () =>
      new Promise((resolve) => {
        server = createServer((client) => {
          clients.add(client);
          const upstream = connect(socket);
          client.pipe(upstream).pipe(client);
          for (const end of [client, upstream]) end.on('error', () => undefined);
        }).listen(port, '127.0.0.1', () => resolve());
      }),
    close: () =>
      new Promise((resolve) => {
        for (const client of clients) client.destroy();
        clients.clear();
        server?.close(() => resolve());
      }),
  };
};

describe('server start-dev', () => {
  it('has an identity of its own, although its database is a copy', async () => {
    const identities = [1, 2].map(async () => {
      const server = perdure(['server', 'start-dev', '--port', '0', '--headless', '--http-port', 'off']);
      const client = new Client(await server.grpcAddress(), credentials.createInsecure());
      const same = (bytes: Buffer): Buffer => bytes;
      const reply = await new Promise<Buffer>((resolve, reject) =>
        client.makeUnaryRequest('/temporal.api.workflowservice.v1.WorkflowService/GetClusterInfo', same, same, Buffer.alloc(0), (error, bytes) => (error ? reject(error) : resolve(bytes!))),
      );
      client.close();
      return temporal.api.workflowservice.v1.GetClusterInfoResponse.decode(reply).clusterId;
    });
    const [one, another] = await Promise.all(identities);
    expect(one).toMatch(/^[0-9a-f-]{36}$/);
    expect(another).toMatch(/^[0-9a-f-]{36}$/);
    expect(another).not.toBe(one);
  });

  it('serves an empty engine, takes the usual flags of the field, and leaves nothing behind when killed', async () => {
    const args = ['--port', '0', '--ip', '127.0.0.1', '--headless', '--namespace', 'mine', '--namespace', 'yours', '--log-level', 'never', '--log-format', 'pretty'];
    const unused = ['--dynamic-config-value', 'frontend.enableUpdateWorkflowExecution=true', '--search-attribute', 'Price=Double', '--sqlite-pragma', 'journal_mode=wal', '--ui-public-path', '/x'];
    const server = perdure(['server', 'start-dev', ...args, ...unused]);
    const address = await server.grpcAddress();
    expect((await fetch(`${await server.httpUrl()}/readyz`)).status).toBe(200);
    const { stdout } = await run(['namespace', 'list', '--address', address, '-o', 'json']);
    expect((JSON.parse(stdout) as { namespaceInfo: { name: string } }[]).map((one) => one.namespaceInfo.name).sort()).toEqual(['default', 'mine', 'yours']);
    const cluster = await clusterOf(server);
    const postgres = postmasterOf(join(cluster, 'data')) ?? 0;
    expect(identityOf(postgres)).toBeDefined();
    await server.kill('SIGKILL');
    await until('PostgreSQL to be gone', () => identityOf(postgres) === undefined);
    await until('the data to be gone', () => !existsSync(cluster));
  });

  it('stops cleanly on a signal, once, even if npm passes it on a second time', async () => {
    const server = perdure(['server', 'start-dev', '--port', '0', '--headless']);
    await server.grpcAddress();
    const cluster = await clusterOf(server);
    server.child.kill('SIGINT');
    const { code } = await server.kill('SIGINT');
    expect(code).toBe(0);
    expect(existsSync(cluster)).toBe(false);
  });

  it('goes away with the npx that started it, even one that is killed', async () => {
    const npx = new Perdure(spawn('npx', ['perdure', 'server', 'start-dev', '--port', '0', '--headless'], { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: ['ignore', 'pipe', 'pipe'] }));
    const address = await npx.grpcAddress();
    npx.child.kill('SIGKILL');
    await until('the port to be closed', async () => (await run(['namespace', 'list', '--address', address])).stderr.includes('No server answers'));
  });

  it('stops in time although a connected client is frozen', async () => {
    const server = perdure(['server', 'start-dev', '--port', '0', '--headless', '--shutdown-grace', '500ms']);
    const address = await server.grpcAddress();
    const client = perdure(['workflow', 'start', '--address', address, '--type', 'anything', '-t', 'nobody', '-w', 'waited-for']);
    await client.finished();
    const waiting = perdure(['workflow', 'result', 'waited-for', '--address', address]);
    await until('the client to be connected', () => connections(Number(address.split(':')[1])) > 0);
    waiting.child.kill('SIGSTOP');
    expect((await server.kill('SIGTERM')).code).toBe(0);
  });

  it('says that its port is taken and ends', async () => {
    const first = perdure(['server', 'start-dev', '--port', '0', '--headless']);
    const port = (await first.grpcAddress()).split(':')[1] ?? '';
    const { code, stderr } = await run(['server', 'start-dev', '--port', port, '--headless']);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`could not start: .*${port}`));
  });

  it('says what is wrong with flags, all at once, before it starts anything', async () => {
    const { code, stderr } = await run(['server', 'start-dev', '--port', 'x', '--log-level', 'loud', '--search-attribute', 'Price']);
    expect(code).toBe(2);
    for (const flag of ['--port', '--log-level', '--search-attribute']) expect(stderr).toMatch(new RegExp(`${flag}: expected .*, got`));
  });

  it('refuses to skip time for data that are kept', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'start-dev-'));
    const kept = await run(['server', 'start-dev', '--port', '0', '--db-filename', folder], { PERDURE_TIME_SKIPPING: 'unlocked' });
    expect([kept.code, kept.stdout]).toEqual([2, '']);
    expect(kept.stderr).toContain(`PERDURE_TIME_SKIPPING: expected off, or a database that is empty at every start (server start-dev without --db-filename), got that in ${folder}`);
    const named = await run(['server', 'start'], { DATABASE_URL: 'postgres://localhost/x', PERDURE_TIME_SKIPPING: 'locked' });
    expect([named.code, named.stderr]).toEqual([2, expect.stringContaining('got that of DATABASE_URL')]);
  });

  it('takes the database that DATABASE_URL names, and its own where --db-filename asks for it', async () => {
    const database = await createDatabase({ migrated: false });
    const scratch = await mkdtemp(join(tmpdir(), 'start-dev-'));
    await chmod(scratch, 0o755);
    try {
      const named = perdure(['server', 'start-dev', '--port', '0', '--headless'], { DATABASE_URL: database.url });
      expect((await named.said(/Database +(.*)/, 30_000))[1]).toContain(`"${database.name}"`);
      const own = perdure(['server', 'start-dev', '--port', '0', '--headless', '--db-filename', join(scratch, 'db')], { DATABASE_URL: database.url });
      expect((await own.said(/Database +(.*)/, 30_000))[1]).toContain(join(scratch, 'db', 'data'));
      await Promise.all([named.kill('SIGTERM'), own.kill('SIGTERM')]);
    } finally {
      await database.drop();
      await rm(scratch, { recursive: true, force: true });
    }
  });

  it('knows flags of its own and of the field, and no others', async () => {
    const { code, stderr } = await run(['server', 'start-dev', '--prot', '7233']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/unknown option '--prot'/);
  });

  describe('with --db-filename', () => {
    let scratch: string;
    beforeEach(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'start-dev-'));
      await chmod(scratch, 0o755);
    });
    afterEach(() => rm(scratch, { recursive: true, force: true }));

    it('keeps the data, also when it is killed', async () => {
      const args = ['server', 'start-dev', '--port', '0', '--headless', '--db-filename', join(scratch, 'perdure.db')];
      const first = perdure(args);
      await startWorkflow(await first.grpcAddress(), 'kept');
      await first.kill('SIGKILL');
      const second = perdure(args);
      expect(await show(await second.grpcAddress(), 'kept')).toBe(0);
      expect((await second.kill('SIGTERM')).code).toBe(0);
    });

    it('goes on when its PostgreSQL is killed', async () => {
      const server = perdure(['server', 'start-dev', '--port', '0', '--headless', '--db-filename', join(scratch, 'db')]);
      const address = await server.grpcAddress();
      await startWorkflow(address, 'kept');
      process.kill(postmasterOf(join(scratch, 'db', 'data')) ?? 0, 'SIGKILL');
      await server.said(/the embedded PostgreSQL ended; starting it again/);
      await until('the run to be found again', async () => (await show(address, 'kept')) === 0, 25_000);
    });
  });
});

describe('server start', () => {
  const database = useDatabase({ migrated: false });

  it('needs DATABASE_URL', async () => {
    const { code, stderr } = await run(['server', 'start', '--port', '0']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/DATABASE_URL: expected a URL of a PostgreSQL 15 or newer.*, got nothing/);
  });

  it('says once that it made the schema, not once for each migration', async () => {
    const server = perdure(['server', 'start', '--port', '0', '--http-port', 'off', '--log-format', 'json'], { DATABASE_URL: database.url });
    await server.grpcAddress();
    const { stderr } = await server.kill('SIGTERM');
    expect(stderr.split('\n').filter((line) => /migration|schema/.test(line))).toEqual([expect.stringContaining('brought the database to the schema of this version')]);
  });

  it('migrates, serves on free ports and says which, and stops with 0', async () => {
    const server = perdure(['server', 'start', '--port', '0', '--http-port', '0'], { DATABASE_URL: database.url });
    expect(await server.grpcAddress()).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
    expect((await fetch(`${await server.httpUrl()}/healthz`)).status).toBe(200);
    expect((await server.kill('SIGTERM')).code).toBe(0);
  });

  it('serves no HTTP when told so', async () => {
    const server = perdure(['server', 'start', '--port', '0', '--http-port', 'off'], { DATABASE_URL: database.url });
    await server.said(/HTTP +off/, 30_000);
  });

  it('refuses a database that is newer than it', async () => {
    const newer = await createDatabase();
    try {
      const client = new pg.Client({ connectionString: newer.url });
      await client.connect();
      await client.query(`insert into perdure_migrations (version, file, checksum) values (9999, '9999_future.sql', 'x')`);
      await client.end();
      const { code, stderr } = await run(['server', 'start', '--port', '0', '--http-port', '0'], { DATABASE_URL: newer.url });
      expect(code).toBe(1);
      expect(stderr).toMatch(/database is newer than this program: it is at migration 9999_future\.sql/);
    } finally {
      await newer.drop();
    }
  });

  describe('and a database that comes and goes', () => {
    let own: TestDatabase;
    beforeEach(async () => {
      own = await createDatabase({ migrated: false });
    });
    afterEach(() => own.drop());

    it('waits for it, saying so, and outlives its absence', async () => {
      const way = await gate(own.url);
      const server = perdure(['server', 'start', '--port', '0', '--http-port', '0'], { DATABASE_URL: way.url });
      await server.said(/waiting for the database/);
      await way.open();
      const address = await server.grpcAddress();
      const http = await server.httpUrl();
      await startWorkflow(address, 'kept');
      await way.close();
      await until('/readyz to tell', async () => (await fetch(`${http}/readyz`)).status === 503);
      expect((await fetch(`${http}/healthz`)).status).toBe(200);
      await way.open();
      await until('/readyz to tell', async () => (await fetch(`${http}/readyz`)).status === 200);
      expect(await show(address, 'kept')).toBe(0);
      await server.kill('SIGTERM');
      await way.close();
    });

    it('can be stopped while it waits', async () => {
      const way = await gate(own.url);
      const server = perdure(['server', 'start', '--port', '0'], { DATABASE_URL: way.url });
      await server.said(/waiting for the database/);
      expect((await server.kill('SIGTERM')).code).toBe(0);
    });
  });
});
