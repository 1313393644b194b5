/** The dynamic configuration keys about completion callbacks, under the names of both generations: where calls may go, how long one takes, how they are tried again. */
import type { ConfigProblem } from './config.js';
import type { AddressRule } from './core/callback-addresses.js';
import type { Limits } from './core/limits.js';

type Changes = { -readonly [Name in keyof Limits]?: Limits[Name] };

const DURATIONS = {
  'request.timeout': 'callbackTimeoutMs',
  'retryPolicy.initialInterval': 'callbackRetryInitialMs',
  'retryPolicy.maxInterval': 'callbackRetryMaxMs',
} as const;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** What the configuration changes; what cannot be used is added to the problems. */
export function callbackLimits(dynamicConfig: Readonly<Record<string, unknown>>, problems: ConfigProblem[]): Changes {
  const changes: Changes = {};
  const bad = (key: string, expected: string, value: unknown): void => void problems.push({ key: `--dynamic-config-value ${key}`, expected, got: JSON.stringify(value) });
  for (const [key, value] of Object.entries(dynamicConfig)) {
    const name = key.toLowerCase().replace(/^(component\.callbacks|callback)\./, '');
    if (name === key.toLowerCase()) continue;
    if (name === 'allowedaddresses') {
      const rules = rulesOf(value);
      if (rules) changes.callbackAddresses = rules;
      else bad(key, 'a list such as [{"Pattern":"*.example.com:443","AllowInsecure":false}]', value);
    }
    for (const [duration, limit] of Object.entries(DURATIONS)) {
      if (name !== duration.toLowerCase()) continue;
      const ms = durationMs(value);
      if (ms) changes[limit] = ms;
      else bad(key, 'a duration such as "10s"', value);
    }
  }
  return changes;
}

function durationMs(value: unknown): number | undefined {
  const [, count, unit] = (typeof value === 'string' && /^(\d+)(ms|s|m|h)$/.exec(value)) || [];
  return count && unit ? Number(count) * UNIT_MS[unit]! : undefined;
}

function rulesOf(value: unknown): AddressRule[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const rules: AddressRule[] = [];
  for (const entry of value as unknown[]) {
    const fields = new Map(Object.entries((entry ?? {}) as object).map(([name, field]) => [name.toLowerCase(), field as unknown]));
    const pattern = fields.get('pattern');
    const allowInsecure = fields.get('allowinsecure') ?? false;
    if (typeof pattern !== 'string' || pattern === '' || typeof allowInsecure !== 'boolean') return undefined;
    rules.push({ pattern, allowInsecure });
  }
  return rules;
}
