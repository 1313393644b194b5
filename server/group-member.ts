/** One engine process of a group: starts when its parent says so, ends when the parent says so or is gone. */
import type { Config } from './config.js';
import { createLogger } from './log.js';
import type { FromMember, ToMember } from './process-group.js';
import { createServer, type PerdureServer } from './server.js';

let server: PerdureServer | undefined;
let ending = false;

const say = (message: FromMember): void => {
  process.send?.(message);
};

async function start(config: Config): Promise<void> {
  try {
    server = await createServer({ config, log: createLogger(config.log) });
    const { grpcAddress } = await server.start();
    say({ type: 'ready', grpcAddress });
  } catch (error) {
    say({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await server?.stop().catch(() => undefined);
  process.exit(0);
}

process.on('message', (message: ToMember) => {
  if (message.type === 'start') void start(message.config);
  else if (message.type === 'metrics') say({ type: 'metrics', id: message.id, text: server?.metrics() ?? '' });
  else void end();
});
process.on('disconnect', () => void end());
// a terminal sends these to every process at once; the parent says when it is time
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
say({ type: 'hello' });
