/** The log: pino on stderr, for people on a terminal and as JSON lines otherwise. Standard output stays free for what a command answers. */
import { createRequire } from 'node:module';
import { destination, pino, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config.js';

export type { Logger } from 'pino';

/**
 * Makes the root logger. Rooms take a child of it (`log.child({ room: 'loops' })`).
 * @param stream where to write instead of stderr, for tests
 */
export const createLogger = (options: Config['log'], stream?: DestinationStream): Logger => {
  const sink = stream ?? destination({ fd: 2, sync: true });
  return pino({ level: options.level, base: undefined }, options.format === 'pretty' ? pretty(sink) : sink);
};

// Loaded only when wanted: JSON logs, the common case of a server, start without it.
const pretty = (sink: DestinationStream): DestinationStream => {
  const make = createRequire(import.meta.url)('pino-pretty') as (options: object) => DestinationStream;
  return make({ colorize: process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', singleLine: true, destination: sink });
};
