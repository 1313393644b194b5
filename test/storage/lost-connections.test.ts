/** Which errors of the driver mean that nobody knows whether a statement was carried out. Their callers are told to come again. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { connectionLost, sqlState } from '../../server/storage/database.js';

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
  expect(connectionLost(reported('57P01'))).toBe(true);
});
