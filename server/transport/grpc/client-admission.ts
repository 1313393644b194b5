/** Holds each client against the versions that go together. The same few clients call all the time, so what they say is judged once. */
import type { Metadata } from '@grpc/grpc-js';
import { requireSupportedClient } from '../../core/validate/client-version.js';
import type { Admission } from './unary-call.js';

/** More kinds of clients than this are not remembered; nobody can fill the memory by making up versions. */
const REMEMBERED_MAX = 500;

const text = (metadata: Metadata, name: string): string => {
  const value = metadata.get(name)[0];
  return typeof value === 'string' ? value : '';
};

/** Admission by client name, client version and the server versions that the client supports. */
export function clientAdmission(serverVersion: string): Admission {
  const welcome = new Set<string>();
  return ({ clientName, clientVersion }, metadata) => {
    const supportedServerVersions = text(metadata, 'supported-server-versions');
    if (!clientName && !supportedServerVersions) return;
    const client = `${clientName}\n${clientVersion}\n${supportedServerVersions}`;
    if (welcome.has(client)) return;
    requireSupportedClient({ clientName, clientVersion, supportedServerVersions }, serverVersion);
    if (welcome.size < REMEMBERED_MAX) welcome.add(client);
  };
}
