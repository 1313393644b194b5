/** What a connection can be told, and which transport that makes. */
import type { CallCredentials, ChannelCredentials, ChannelOptions, Interceptor } from '@grpc/grpc-js';
import { credentials as grpcCredentials } from '@grpc/grpc-js';
import type { Duration } from '../definitions/duration.js';
import { msToNumber } from '../definitions/duration.js';
import type { Channel, Metadata } from './channel.js';
import { GrpcJsChannel } from './grpc-js-channel.js';
import { Http2Channel } from './http2-channel.js';
import type { GrpcRetryOptions } from './retry.js';
import { defaultGrpcRetryOptions } from './retry.js';
import type { TLSConfig, TLSConfigOption } from './tls.js';
import { normalizeTlsConfig, toNodeTls } from './tls.js';

/** Where a server listens that was started on this machine without options. */
export const LOCAL_TARGET = 'localhost:7233';
const DEFAULT_PORT = 7233;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_TIME_MS = 30_000;
const KEEPALIVE_TIMEOUT_MS = 15_000;

/** Options of a connection. */
export interface ConnectionOptions {
  /** `host:port` of the server; the port defaults to 7233. IPv6 addresses in brackets. Default `localhost:7233`. */
  address?: string;
  /** TLS: true for the defaults, or certificates. Default: none, unless an {@link apiKey} is given. */
  tls?: TLSConfigOption;
  /** Prebuilt grpc-js credentials, instead of {@link tls}. */
  credentials?: ChannelCredentials;
  /** grpc-js call credentials, combined with the channel's. */
  callCredentials?: CallCredentials[];
  /** grpc-js channel arguments. Setting any makes the connection use grpc-js's own client. */
  channelArgs?: ChannelOptions;
  /** grpc-js interceptors. Setting any makes the connection use grpc-js's own client. */
  interceptors?: Interceptor[];
  /** Metadata to send with every call. Exclusive with {@link apiKey} for the key `authorization`. */
  metadata?: Metadata;
  /** Sent as `authorization: Bearer …`. A function is asked for every call. */
  apiKey?: string | (() => string);
  /** How long {@link Connection.connect} waits for a server that is not up yet. Default 10 seconds. */
  connectTimeout?: Duration;
  /** How failed calls are retried. Default {@link defaultGrpcRetryOptions}. */
  retry?: GrpcRetryOptions;
  /** Change the options of this connection; passed on to the clients and workers that use it. */
  plugins?: ConnectionPlugin[];
}

/** Hooks that configure connections. */
export interface ConnectionPlugin {
  /** For people. */
  get name(): string;
  /** Changes the options of a connection. Plugins are asked in their order. */
  configureConnection?(options: ConnectionOptions): ConnectionOptions;
}

/** {@link ConnectionOptions} with their defaults: `retry`, `plugins`, and `connectTimeoutMs` in milliseconds. */
export interface ConnectionOptionsWithDefaults {
  /** Always with a port. */
  address: string;
  /** Undefined for a plain connection. */
  tls: TLSConfig | undefined;
  /** By lower-case name, as given: the API key is not among them. */
  metadata: Metadata;
  connectTimeoutMs: number;
  retry: GrpcRetryOptions;
  plugins: ConnectionPlugin[];
}

export function withDefaults(options: ConnectionOptions): ConnectionOptionsWithDefaults {
  const metadata = Object.fromEntries(Object.entries(options.metadata ?? {}).map(([key, value]) => [key.toLowerCase(), value]));
  if (options.apiKey !== undefined && 'authorization' in metadata) {
    throw new TypeError("Either 'apiKey' or metadata 'authorization' may be set, not both");
  }
  if (options.credentials && options.tls) throw new TypeError("Either 'credentials' or 'tls' may be set, not both");
  return {
    address: normalizeAddress(options.address ?? LOCAL_TARGET),
    tls: normalizeTlsConfig(options.tls, options.apiKey),
    metadata,
    connectTimeoutMs: options.connectTimeout === undefined ? DEFAULT_CONNECT_TIMEOUT_MS : msToNumber(options.connectTimeout),
    retry: options.retry ?? defaultGrpcRetryOptions(),
    plugins: options.plugins ?? [],
  };
}

/** `host` -> `host:7233`; brackets around IPv6 stay. */
function normalizeAddress(address: string): string {
  const match = /^(?:\[[0-9a-fA-F:.%]+\]|[^:[\]\s/]+)(?::(\d{1,5}))?$/.exec(address);
  if (!match) throw new TypeError(`Invalid address: expected 'host:port' or '[ipv6]:port', got '${address}'`);
  return match[1] === undefined ? `${address}:${DEFAULT_PORT}` : address;
}

/** The transport for the options: our own, unless something only grpc-js understands is asked for. */
export function makeChannel(options: ConnectionOptions, compiled: ConnectionOptionsWithDefaults): Channel {
  const { credentials, callCredentials = [], channelArgs, interceptors = [] } = options;
  const { address, tls, connectTimeoutMs } = compiled;
  const needsGrpcJs = credentials || callCredentials.length > 0 || channelArgs || interceptors.length > 0 || proxyIsSet();
  if (!needsGrpcJs) {
    return new Http2Channel({
      address,
      tls: tls && toNodeTls(tls, address),
      connectTimeoutMs,
      keepaliveTimeMs: KEEPALIVE_TIME_MS,
      keepaliveTimeoutMs: KEEPALIVE_TIMEOUT_MS,
    });
  }
  const channelCredentials = callCredentials.reduce((all, one) => all.compose(one), credentials ?? tlsCredentials(tls));
  const args: ChannelOptions = {
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_receive_message_length': 128 << 20,
    ...(tls?.serverNameOverride && {
      'grpc.ssl_target_name_override': tls.serverNameOverride,
      'grpc.default_authority': tls.serverNameOverride,
    }),
    ...channelArgs,
  };
  return new GrpcJsChannel(address, channelCredentials, args, interceptors);
}

function tlsCredentials(tls: TLSConfig | undefined): ChannelCredentials {
  if (!tls) return grpcCredentials.createInsecure();
  const pem = (bytes: Uint8Array | undefined) => (bytes ? Buffer.from(bytes) : null);
  return grpcCredentials.createSsl(pem(tls.serverRootCACertificate), pem(tls.clientCertPair?.key), pem(tls.clientCertPair?.crt));
}

/** grpc-js knows proxies from these variables; so do the users that set them. */
function proxyIsSet(): boolean {
  return ['grpc_proxy', 'https_proxy', 'http_proxy'].some((name) => Boolean(process.env[name]));
}
