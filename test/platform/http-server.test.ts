import { afterEach, expect, it } from 'vitest';
import { createHttpServer, type HttpServer, type HttpServerOptions, type Readiness } from '../../server/transport/http/http-server.js';

let server: HttpServer | undefined;
afterEach(() => server?.stop());

const start = async (options: Partial<HttpServerOptions> = {}): Promise<string> => {
  server = createHttpServer({ host: '127.0.0.1', port: 0, readiness: async () => ({ ready: true }), metrics: () => '', ...options });
  return `http://${await server.start()}`;
};

it('says that the process lives', async () => {
  const response = await fetch(`${await start()}/healthz`);
  expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
});

it('says whether it can serve, and why not', async () => {
  let state: Readiness | Error = { ready: true };
  const base = await start({ readiness: async () => (state instanceof Error ? Promise.reject(state) : state) });
  const ask = async (): Promise<unknown[]> => {
    const response = await fetch(`${base}/readyz`);
    return [response.status, await response.json()];
  };
  expect(await ask()).toEqual([200, { ready: true }]);
  state = { ready: false, reason: 'the database is away' };
  expect(await ask()).toEqual([503, { ready: false, reason: 'the database is away' }]);
  state = new Error('connection refused');
  expect(await ask()).toEqual([503, { ready: false, reason: 'connection refused' }]);
});

it('counts a check that does not answer as not ready', async () => {
  const response = await fetch(`${await start({ readiness: () => new Promise(() => undefined) })}/readyz`);
  expect(response.status).toBe(503);
});

it('serves metrics as Prometheus text', async () => {
  const response = await fetch(`${await start({ metrics: async () => 'perdure_up 1\n' })}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toBe('perdure_up 1\n');
});

it('serves routes of others, and says what there is instead of what there is not', async () => {
  const base = await start({ routes: (app) => void app.get('/page', async () => 'page') });
  expect(await (await fetch(`${base}/page`)).text()).toBe('page');
  const missing = await fetch(`${base}/nothing`);
  expect([missing.status, await missing.json()]).toEqual([404, { error: 'There is nothing at /nothing. See /healthz, /readyz, /metrics.' }]);
});

it('keeps the text of a failure to itself', async () => {
  const response = await fetch(`${await start({ metrics: () => Promise.reject(new Error('secret')) })}/metrics`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
});

it('says that its port is taken', async () => {
  const base = await start();
  const second = createHttpServer({ host: '127.0.0.1', port: Number(new URL(base).port), readiness: async () => ({ ready: true }), metrics: () => '' });
  await expect(second.start()).rejects.toThrow(/EADDRINUSE/);
  await second.stop();
});
