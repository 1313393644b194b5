/** TLS options as the field writes them, for either transport. */
import type { SecureClientSessionOptions } from 'node:http2';
import { isIP } from 'node:net';

/** TLS of a connection. */
export interface TLSConfig {
  /** Name to expect in the server's certificate, if it is not the address's. */
  serverNameOverride?: string;
  /** CA certificate (PEM) of the server, if it is not a public one. */
  serverRootCACertificate?: Uint8Array;
  /** Client certificate `crt` and its `key` (PEM) for mutual TLS. */
  clientCertPair?: { crt: Uint8Array; key: Uint8Array };
}

export type TLSConfigOption = TLSConfig | boolean | undefined | null;

/** The configuration, or undefined for a plain connection. An API key asks for TLS unless TLS is refused explicitly. */
export function normalizeTlsConfig(tls: TLSConfigOption, apiKey?: string | (() => string)): TLSConfig | undefined {
  if (tls === true) return {};
  if (tls === false) return undefined;
  return tls ?? (apiKey !== undefined ? {} : undefined);
}

/** Options of node:tls for a configuration and the `host:port` that it is for. */
export function toNodeTls(tls: TLSConfig, address: string): SecureClientSessionOptions {
  const pem = (bytes: Uint8Array | undefined) => (bytes ? Buffer.from(bytes) : undefined);
  return {
    ALPNProtocols: ['h2'],
    // An IP address is checked against the certificate, but must not be sent as a name.
    servername: tls.serverNameOverride ?? (isIP(new URL(`https://${address}`).hostname.replace(/^\[|\]$/g, '')) ? '' : undefined),
    ca: pem(tls.serverRootCACertificate),
    cert: pem(tls.clientCertPair?.crt),
    key: pem(tls.clientCertPair?.key),
  };
}
