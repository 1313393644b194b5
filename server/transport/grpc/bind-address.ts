/** Addresses as they are bound and shown, and why one cannot be had. */

export const bindAddress = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** The system's reason, also out of the list that grpc-js makes of it. */
function bindReason({ message }: Error): string {
  const [, code, reason] = /listen (E\w+): ([a-z ]+)/.exec(message) ?? [];
  return code && reason ? `${reason.trim()} (${code})` : message;
}

export const cannotListen = (host: string, port: number, error: Error): Error =>
  new Error(`gRPC cannot listen on ${bindAddress(host, port)}: ${bindReason(error)}`);
