/** Options that many verbs share, and how their text becomes a value. */
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface ConnectionOptions {
  readonly address: string;
  readonly namespace: string;
  readonly output: 'table' | 'json';
}

/** `--address`, `--namespace`, `--output`. */
export const withConnection = (command: Command): Command =>
  command
    .addOption(new Option('--address <host:port>', 'gRPC address of the server').env('PERDURE_ADDRESS').default('127.0.0.1:7233'))
    .addOption(new Option('-n, --namespace <name>', 'namespace').env('PERDURE_NAMESPACE').default('default'))
    .addOption(new Option('-o, --output <format>', 'how to print the answer').choices(['table', 'json']).default('table'));

/** For options that may be given again and again. */
export const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];

export const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return value;
};

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `24h`, `7d`, to milliseconds. */
export const duration = (text: string): number => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) throw new InvalidArgumentError('Expected a duration such as 90s, 15m, 24h or 7d.');
  return Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
};
