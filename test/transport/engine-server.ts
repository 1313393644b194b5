/** The whole server on a database of its own, for tests that come in by gRPC. */
import { type Flags, readConfig } from '../../server/config.js';
import type { Logger } from '../../server/log.js';
import { createServer } from '../../server/server.js';
import { createDatabase } from '../helpers/postgres.js';

export interface EngineServer {
  readonly address: string;
  /** Its metrics by name. */
  metric(name: string): number;
  /** What it logged as an error: none, in a test that only sends what a client may send. */
  readonly errors: Array<{ fields: Record<string, unknown>; text: string }>;
  stop(): Promise<void>;
}

/** Starts it with the namespaces `default` and `bystander`. */
export async function startEngineServer(flags: Flags = {}): Promise<EngineServer> {
  const database = await createDatabase();
  const errors: EngineServer['errors'] = [];
  const note = (fields: Record<string, unknown> | string, text = '') =>
    errors.push(typeof fields === 'string' ? { fields: {}, text: fields } : { fields, text });
  const quiet = () => {};
  const log = { fatal: note, error: note, warn: quiet, info: quiet, debug: quiet, trace: quiet, child: () => log } as unknown as Logger;
  const config = readConfig(
    {},
    {
      databaseUrl: database.url,
      grpcPort: '0',
      httpPort: 'off',
      namespaces: ['default', 'bystander'],
      shutdownGraceMs: '200ms',
      databasePoolSize: '6',
      ...flags,
    },
  );
  const server = await createServer({ config, log });
  const { grpcAddress } = await server.start();
  return {
    address: grpcAddress,
    errors,
    metric: (name) => Number(new RegExp(`^${name} (.+)$`, 'm').exec(server.metrics())?.[1]),
    async stop() {
      await server.stop();
      await database.drop();
    },
  };
}
