/** Which errors of the driver mean that nobody knows whether a statement was carried out. Their callers are told to come again. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { connectionLost, Database, DatabaseLost, sqlState } from '../../server/storage/database.js';
import { useDatabase } from '../helpers/postgres.js';

const postgres = useDatabase();

const error = (message: string, fields: object): Error => Object.assign(new Error(message), fields);

it('errors of the system are none of PostgreSQL, whatever the length of their codes', () => {
  for (const [code, errno] of [['EPIPE', -32], ['ECONNRESET', -104], ['EBADF', -9]] as const) {
    const broken = error(`write ${code}`, { code, errno, syscall: 'write' });
    expect(sqlState(broken), code).toBe('');
    expect(connectionLost(broken), code).toBe(true);
  }
});

it('writing to a connection whose other side has gone is a lost connection', async () => {
  const server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  const broken = await new Promise<Error>((resolve) => {
    socket.once('error', resolve);
    socket.on('connect', () => {
      const write = (): void => void socket.write('x', () => setImmediate(write));
      write();
    });
  });
  server.close();
  expect(broken).toHaveProperty('code', expect.stringMatching(/^(EPIPE|ECONNRESET)$/));
  expect(connectionLost(broken)).toBe(true);
});

it('what PostgreSQL reports is told apart by its state', () => {
  const reported = (code: string): Error => error('as reported', { code, severity: 'ERROR' });
  expect(sqlState(reported('23505'))).toBe('23505');
  expect(connectionLost(reported('23505'))).toBe(false);
  for (const gone of ['57P01', '25006', '08P01']) expect(connectionLost(reported(gone)), gone).toBe(true);
});

it('a database that only reads since it was replaced is left: callers come again, on a new connection', async () => {
  const database = new Database({ url: postgres.url, poolSize: 2, onError: () => undefined });
  const pid = async (): Promise<unknown> => (await database.query({ text: 'select pg_backend_pid() as pid' }))[0]!.pid;
  const before = await pid();
  await database.query({ text: 'set default_transaction_read_only = on' });
  await expect(database.query({ text: "insert into namespaces (namespace_id) values (gen_random_uuid())" })).rejects.toThrow(DatabaseLost);
  expect(await pid()).not.toBe(before);
  await database.close();
});
