/** The HTTP port: /healthz (the process lives), /readyz (it can serve), /metrics (Prometheus text), and what others add. */
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import type { Logger } from '../../log.js';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, for people. */
  readonly reason?: string;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Asked on every /readyz; not answering within two seconds counts as not ready. */
  readonly readiness: () => Promise<Readiness>;
  /** The metrics in Prometheus text format. */
  readonly metrics: () => string | Promise<string>;
  /** Adds routes of other rooms, such as the web page. */
  readonly routes?: (app: FastifyInstance) => void | Promise<void>;
  readonly log?: Logger;
}

export interface HttpServer {
  /** Listens. Returns `host:port` with the port that was chosen. */
  start(): Promise<string>;
  /** Stops listening and ends what is open. */
  stop(): Promise<void>;
}

const READINESS_MS = 2_000;

/** No route has a schema, so nothing that compiles schemas is loaded: a tenth of the whole start. */
const WITHOUT_SCHEMAS = {
  compilersFactory: { buildValidator: () => () => () => true, buildSerializer: () => () => JSON.stringify },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>; // its types ask for ajv itself

export const createHttpServer = (options: HttpServerOptions): HttpServer => {
  let app: FastifyInstance | undefined;
  return {
    start: async () => {
      app = await createApp(options);
      await options.routes?.(app);
      await app.listen({ host: options.host, port: options.port });
      const address = app.server.address();
      const port = typeof address === 'object' && address !== null ? address.port : options.port;
      return `${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
    },
    stop: async () => app?.close(),
  };
};

/** fastify is loaded here, not with the file: gRPC, which clients wait for, is up before it. */
const createApp = async (options: HttpServerOptions): Promise<FastifyInstance> => {
  const { fastify } = await import('fastify');
  const app = fastify({
    logger: false, forceCloseConnections: true, requestTimeout: 30_000, routerOptions: { ignoreTrailingSlash: true }, schemaController: WITHOUT_SCHEMAS,
  });

  app.get('/healthz', async (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'));

  app.get('/readyz', async (_request, reply) => {
    const state = await within(READINESS_MS, options.readiness());
    return reply
      .code(state.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(state);
  });

  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics()));

  app.setNotFoundHandler(async (request, reply) =>
    reply.code(404).send({ error: `There is nothing at ${request.url.slice(0, 200)}. See /healthz, /readyz, /metrics.` }),
  );

  app.setErrorHandler(async (error, request, reply) => {
    const status = statusOf(error);
    if (status >= 500) options.log?.error({ err: error, url: request.url }, 'an HTTP request failed');
    return reply
      .code(status)
      .send({ error: status >= 500 ? 'Internal error; the log of the server has the details.' : (error as Error).message });
  });

  return app;
};

const statusOf = (error: unknown): number => {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' && status >= 400 ? status : 500;
};

const within = async (limitMs: number, state: Promise<Readiness>): Promise<Readiness> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Readiness>((resolve) => {
    timer = setTimeout(() => resolve({ ready: false, reason: `the check did not answer within ${limitMs} ms` }), limitMs);
  });
  try {
    return await Promise.race([state, late]);
  } catch (error) {
    return { ready: false, reason: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
};
