/**
 * Where completion callbacks may go. The server itself makes these calls, from where it stands: without a list of allowed addresses anybody who
 * may start a workflow could reach whatever the server can reach. So nothing is allowed that no rule names.
 */

export interface AddressRule {
  /** `host:port` as it may be written in an address; `*` stands for any text. */
  readonly pattern: string;
  /** Plain http is allowed too. */
  readonly allowInsecure: boolean;
}

const PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** What is wrong with an address; undefined when it may be called. It is read as the HTTP client reads it, so that both mean the same host. */
export function addressProblem(rules: readonly AddressRule[], address: string): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!/^https?:\/\//i.test(address)) return `invalid url: unknown scheme: ${address}`;
  if (!url?.hostname || !/^https?:\/\/[^/?#]/i.test(address)) return `invalid url: missing host: ${address}`;
  const hosts = [url.host, `${url.hostname}:${url.port || PORTS[url.protocol]}`];
  const rule = rules.find(({ pattern }) => hosts.some((host) => matcher(pattern).test(host)));
  if (!rule) return `invalid url: url does not match any configured callback address: ${address}`;
  if (url.protocol !== 'https:' && !rule.allowInsecure)
    return `invalid url: callback address does not allow insecure connections: ${address}`;
  return undefined;
}

const matcher = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .toLowerCase()
      .split('*')
      .map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
