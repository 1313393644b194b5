/**
 * Which clients may talk to this server: an SDK names itself and its version, and the range of server versions that it can work with.
 * Clients that are not known, or say nothing, are welcome.
 */
import { detail, invalidArgument, ServiceError } from '../errors.js';

type Version = readonly [major: number, minor: number, patch: number];

/** What a request's headers say; a header that is missing is the empty text. */
export interface ClientHeaders {
  readonly clientName: string;
  readonly clientVersion: string;
  readonly supportedServerVersions: string;
}

/** Versions of known clients that are served: name to range. */
export const SUPPORTED_CLIENTS: Readonly<Record<string, string>> = {
  'temporal-go': '<2.0.0',
  'temporal-java': '<2.0.0',
  'temporal-php': '<3.0.0',
  'temporal-python': '<2.0.0',
  'temporal-ruby': '<2.0.0',
  'temporal-dotnet': '<2.0.0',
  'temporal-typescript': '<2.0.0',
  'temporal-cli': '<2.0.0',
  'temporal-ui': '<3.0.0',
};

const VERSION = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

const COMPARATORS: Readonly<Record<string, (order: number) => boolean>> = {
  '': (order) => order === 0,
  '=': (order) => order === 0,
  '==': (order) => order === 0,
  '!': (order) => order !== 0,
  '!=': (order) => order !== 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
};

/** Whether a version is within a range such as `>=1.0.0 <2.0.0 || 3.1.0`; undefined when the range cannot be read. */
export function isWithin(range: string, version: string): boolean | undefined {
  const own = parseVersion(version);
  const alternatives = range.split('||').map((all) =>
    all
      .trim()
      .replace(/([<>=!])\s+/g, '$1')
      .split(/\s+/),
  );
  let within = false;
  for (const all of alternatives) {
    let matches = true;
    for (const part of all) {
      const [, operator = '', bound = ''] = /^([<>=!]*)(.*)$/.exec(part) ?? [];
      const limit = parseVersion(bound);
      const comparator = COMPARATORS[operator];
      if (!own || !limit || !comparator) return undefined;
      matches &&= comparator(compare(own, limit));
    }
    within ||= matches;
  }
  return within;
}

/** Refuses a client that is too new for this server, or for which this server is too old or too new. */
export function requireSupportedClient({ clientName, clientVersion, supportedServerVersions }: ClientHeaders, serverVersion: string): void {
  const supported = Object.hasOwn(SUPPORTED_CLIENTS, clientName) ? SUPPORTED_CLIENTS[clientName] : undefined;
  if (supported && clientVersion) {
    if (!parseVersion(clientVersion)) throw invalidArgument(`Unable to parse client version: "${clientVersion}" is not of the form 1.2.3`);
    if (!isWithin(supported, clientVersion)) {
      throw new ServiceError(
        'FAILED_PRECONDITION',
        `Client version ${clientVersion} is not supported. Server supports ${clientName} versions: ${supported}`,
        [detail('ClientVersionNotSupportedFailure', { clientVersion, clientName, supportedVersions: supported })],
      );
    }
  }
  if (!supportedServerVersions) return;
  const served = isWithin(supportedServerVersions, serverVersion);
  if (served === undefined)
    throw invalidArgument(`Unable to parse supported server versions: "${supportedServerVersions}" is not a range such as >=1.0.0 <2.0.0`);
  if (served) return;
  const text = `Server version ${serverVersion} is not supported. Client supports server versions: ${supportedServerVersions}`;
  throw new ServiceError('FAILED_PRECONDITION', text, [
    detail('ServerVersionNotSupportedFailure', { serverVersion, clientSupportedServerVersions: supportedServerVersions }),
  ]);
}
