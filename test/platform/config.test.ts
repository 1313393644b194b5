import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, unknownVariables } from '../../server/config.js';
import { settings } from '../../server/settings.js';

const DATABASE_URL = 'postgres://user:secret@db:5432/perdure';

const problems = (env: Record<string, string>, flags = {}): Record<string, string> => {
  try {
    readConfig(env, flags);
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map((problem) => [problem.key, problem.got]));
  }
};

describe('configuration', () => {
  it('binds to loopback unless told otherwise, and has a default for everything but the database', () => {
    const config = readConfig({ DATABASE_URL });
    expect(config.grpc).toEqual({ host: '127.0.0.1', port: 7233 });
    expect(config.http).toEqual({ host: '127.0.0.1', port: 8233 });
    expect(config.namespaces).toEqual([{ name: 'default', retentionMs: 3 * 86_400_000 }]);
    expect(config.databaseWaitMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes a flag before the environment, and the environment before the default', () => {
    const config = readConfig({ DATABASE_URL, PERDURE_GRPC_PORT: '1000', PERDURE_HTTP_PORT: 'off' }, { grpcPort: '2000' });
    expect(config.grpc.port).toBe(2000);
    expect(config.http).toBeUndefined();
  });

  it('takes an empty variable for none', () => {
    expect(readConfig({ DATABASE_URL, PERDURE_GRPC_PORT: '' }).grpc.port).toBe(7233);
  });

  it('reports every bad key at once, by the name that the user gave it', () => {
    expect(problems({ PERDURE_GRPC_PORT: '70000', PERDURE_LOG_LEVEL: 'loud', PERDURE_SHUTDOWN_GRACE: '10' }, { httpPort: 'x', searchAttributes: ['Price=Number'] })).toEqual({
      DATABASE_URL: 'nothing',
      PERDURE_GRPC_PORT: '"70000"',
      PERDURE_LOG_LEVEL: '"loud"',
      PERDURE_SHUTDOWN_GRACE: '"10"',
      '--http-port': '"x"',
      '--search-attribute': '["Price=Number"]',
    });
  });

  it('says what was expected, in one text', () => {
    expect(() => readConfig({ DATABASE_URL, PERDURE_GRPC_PORT: 'x' })).toThrow('PERDURE_GRPC_PORT: expected a port from 0 to 65535 (0: any free one), got "x"');
  });

  it('never shows a database URL, which may hold a password', () => {
    const error = (() => {
      try {
        return readConfig({ DATABASE_URL: 'mysql://root:secret@host/x' });
      } catch (caught) {
        return caught as Error;
      }
    })();
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).not.toContain('secret');
  });

  it.each(['postgres:///name', 'postgresql://user@host/name?sslmode=require', 'postgres://u@localhost/d?host=%2Ftmp%2Fsocket', 'postgres://user:p%40ss@[::1]:5432/name'])('accepts %s', (url) => {
    expect(readConfig({ DATABASE_URL: url }).databaseUrl).toBe(url);
  });

  it('reads dynamic configuration as JSON and search attributes in any case', () => {
    const config = readConfig({ DATABASE_URL }, { dynamicConfig: ['a.b=true', 'c={"x":[1]}', 'd="text"'], searchAttributes: ['Price=double', 'Tags=KeywordList'] });
    expect(config.dynamicConfig).toEqual({ 'a.b': true, c: { x: [1] }, d: 'text' });
    expect(config.searchAttributes).toEqual({ Price: 'Double', Tags: 'KeywordList' });
    expect(readConfig({ DATABASE_URL, PERDURE_DYNAMIC_CONFIG: 'a=[1,2],b="x"' }).dynamicConfig).toEqual({ a: [1, 2], b: 'x' });
    expect(problems({ DATABASE_URL }, { dynamicConfig: ['a=text'] })).toEqual({ '--dynamic-config-value': '["a=text"]' });
  });

  it.each([['2027-01-04T09:00:00Z', '2027-01-04T09:00:00.000Z'], ['2028-02-29T09:00:00+02:00', '2028-02-29T07:00:00.000Z'], [' 2027-01-04T09:00:00.250Z ', '2027-01-04T09:00:00.250Z']])('reads the time %j', (text, expected) => {
    expect(new Date(readConfig({ DATABASE_URL, PERDURE_TIME_SKIPPING_FROM: text }).timeSkippingFromMs!).toISOString()).toBe(expected);
  });

  it.each(['2027-02-29T09:00:00Z', '2027-02-30T09:00:00Z', '2027-13-01T09:00:00Z', '2027-01-04T25:00:00Z', '2027-01-04T09:00:00', '2027-01-04', 'tomorrow'])('takes %j for no time', (text) => {
    expect(problems({ DATABASE_URL, PERDURE_TIME_SKIPPING_FROM: text })).toEqual({ PERDURE_TIME_SKIPPING_FROM: `"${text}"` });
  });

  it('reads measures with their units, and words in their place', () => {
    const config = readConfig({ DATABASE_URL, PERDURE_DATABASE_WAIT: '500ms', PERDURE_NAMESPACE_RETENTION: '2d', PERDURE_REQUEST_BYTES: '1GiB', PERDURE_LOG_LEVEL: 'NEVER' });
    expect([config.databaseWaitMs, config.namespaces[0]!.retentionMs, config.load.requestBytesMax, config.log.level]).toEqual([500, 2 * 86_400_000, 1024 ** 3, 'silent']);
    expect(readConfig({ DATABASE_URL, PERDURE_PROCESSES: 'auto' }).processes).toBeGreaterThan(0);
  });

  it.each([['PERDURE_NAMESPACE_RETENTION', '59m'], ['PERDURE_REQUEST_BYTES', '64MB'], ['PERDURE_REQUEST_BYTES', '3MiB'], ['PERDURE_PROCESSES', '0'], ['PERDURE_PROCESSES', '1.5'], ['PERDURE_DATABASE_WAIT', '5 s'],
    ['PERDURE_LOG_LEVEL', 'constructor'], ['PERDURE_NAMESPACES', 'a b'], ['PERDURE_SEARCH_ATTRIBUTES', 'Price=constructor'], ['PERDURE_GRPC_HOST', 'a b'], ['PERDURE_TIME_SKIPPING', '__proto__']])('refuses %s=%s', (key, text) => {
    expect(problems({ DATABASE_URL, [key]: text })).toEqual({ [key]: JSON.stringify(text) });
  });

  it('takes one flag for a list, and a list for no single value', () => {
    expect(readConfig({ DATABASE_URL }, { namespaces: 'a, b' }).namespaces.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(problems({ DATABASE_URL }, { grpcPort: ['1', '2'] })).toEqual({ '--port': '["1","2"]' });
  });

  it('is frozen, all of it', () => {
    const config = readConfig({ DATABASE_URL });
    expect(() => {
      (config.grpc as { port: number }).port = 1;
    }).toThrow(TypeError);
  });

  it('finds variables that look like settings and are none', () => {
    expect(unknownVariables({ PERDURE_GRPC_PROT: '1', PERDURE_ADDRESS: 'x', PERDURE_LOG_LEVEL: 'info', HOME: '/' })).toEqual(['PERDURE_GRPC_PROT']);
  });

  it('is described setting by setting in docs/configuration.md', () => {
    const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const table = rows.slice(rows.findIndex(([, first]) => first === 'environment'));
    const ofTable = table.slice(0, table.findIndex((cells) => cells.length === 1));
    for (const { env, flag, default: given } of Object.values(settings)) {
      const [, , flags, byDefault] = ofTable.find(([, first]) => first === `\`${env}\``) ?? [];
      expect(flags, env).toContain(`\`${flag}\``);
      if (env === 'PERDURE_LOG_FORMAT') continue; // depends on where it runs
      expect(byDefault, env).toContain(typeof given === 'string' ? `\`${given}\`` : (given?.[0] ?? 'none'));
    }
  });
});
