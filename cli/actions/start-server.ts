/** Runs the engine in this process until it is told to stop. */
import { createServer } from 'node:net';
import type { Flags } from '@perdure/server/config';
import type { StartOptions } from '../commands/server.js';

const flagsOf = (options: StartOptions): Flags => ({
  grpcPort: options.port,
  grpcHost: options.ip,
  httpPort: options.httpPort ?? options.uiPort,
  httpHost: options.httpIp ?? options.uiIp ?? options.ip,
  namespaces: options.namespace && [...new Set(['default', ...options.namespace])],
  retentionMs: options.namespaceRetention,
  searchAttributes: options.searchAttribute,
  dynamicConfig: options.dynamicConfigValue,
  logLevel: options.logLevel,
  logFormat: options.logFormat,
  processes: options.processes,
  placement: options.placement,
  requestsMax: options.requests,
  requestsQueuedMax: options.requestQueue,
  requestQueuedMsMax: options.requestQueueTime,
  requestBytesMax: options.requestBytes,
  waitingCallsMax: options.waitingCalls,
  memoryBytesMax: options.memory,
  shutdownGraceMs: options.shutdownGrace,
  databaseUrl: options.databaseUrl,
  databasePoolSize: options.databasePoolSize,
  databaseWaitMs: options.databaseWait,
  timeSkipping: options.timeSkipping === true ? 'locked' : options.timeSkipping,
  timeSkippingFromMs: options.timeSkippingFrom,
});

/** Completion callbacks may call anybody, in plain HTTP too: what a server for development on one's own machine is expected to allow. Else nobody, until configured. */
const ANY_CALLBACK = { 'callback.allowedAddresses': [{ Pattern: '*', AllowInsecure: true }] };

export const start = async (options: StartOptions): Promise<void> => {
  const { serve } = await import('@perdure/server/main');
  end(await serve({ database: { kind: 'url' }, flags: flagsOf(options), env: process.env }));
};

/**
 * As the field's command does it: a data path that was asked for by flag comes first, then DATABASE_URL, else the database is empty.
 * A clock that skips time is for tests, which must not touch what DATABASE_URL names.
 */
export const startDev = async (options: StartOptions): Promise<void> => {
  const { serve } = await import('@perdure/server/main');
  const skips = options.timeSkipping !== undefined || !['', 'off'].includes(process.env['PERDURE_TIME_SKIPPING'] ?? '');
  const wantsUrl = !skips && options.dbFilename === undefined && (process.env['DATABASE_URL'] ?? '') !== '';
  const database = wantsUrl ? ({ kind: 'url' } as const) : ({ kind: 'embedded', ...(options.dbFilename !== undefined && { folder: options.dbFilename }) } as const);
  const flags = flagsOf(options);
  const chosen = process.env['PERDURE_HTTP_PORT'] === undefined && flags.httpPort === undefined ? await devHttpPort(options) : flags.httpPort;
  end(await serve({ database, flags: { ...flags, httpPort: chosen }, dynamicDefaults: ANY_CALLBACK, env: process.env }));
};

/** The gRPC port + 1000 unless nobody is to look at it (--headless) or it is taken: dozens of these run side by side, and none may fail for a page. */
const devHttpPort = async (options: StartOptions): Promise<string> => {
  const wanted = Number(options.port ?? process.env['PERDURE_GRPC_PORT'] ?? 7233) + 1000;
  if (options.headless === true || wanted === 1000 || !(wanted <= 65535)) return '0';
  return (await isFree(wanted, options.uiIp ?? options.ip ?? '127.0.0.1')) ? String(wanted) : '0';
};

const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });

/** Not by letting the event loop run dry: something that still hangs in it must not keep a stopped server alive. */
const end = (code: number): void => {
  process.exit(code);
};
