/**
 * The servers that the SDK's suites run against: the one named by PERDURE_ADDRESS, else an engine of the test's own; and either of them behind a
 * proxy that leaves nothing of Perdure but the open API.
 */
import { expect } from 'vitest';
import { type ForeignServerOptions, startForeignServer } from '../../helpers/foreign-server.js';
import { startEngineServer } from '../../transport/engine-server.js';

export interface ServerUnderTest {
  readonly address: string;
  /** Whether its answers say what it is capable of. */
  readonly tellsCapabilities: boolean;
  stop(): Promise<void>;
}

export type StartServer = () => Promise<ServerUnderTest>;

export const anyServer: StartServer = async () => {
  const external = process.env.PERDURE_ADDRESS;
  if (external) return { address: external, tellsCapabilities: true, stop: async () => undefined };
  const engine = await startEngineServer();
  return {
    address: engine.address,
    tellsCapabilities: true,
    async stop() {
      await engine.stop();
      expect(engine.errors).toEqual([]);
    },
  };
};

export const behindOpenApi =
  (options: ForeignServerOptions = {}): StartServer =>
  async () => {
    const server = await anyServer();
    const proxy = await startForeignServer(server.address, options);
    return {
      address: proxy.address,
      tellsCapabilities: !options.hideCapabilities,
      async stop() {
        proxy.stop();
        await server.stop();
      },
    };
  };
