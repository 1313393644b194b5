/** A gRPC client that sends any bytes to any path and shows the whole answer: code, text, typed details. */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import type { Service, Type } from 'protobufjs';

const root = proto as unknown as { lookupService(name: string): Service; lookupType(name: string): Type };

export interface Answer {
  /** Status name, `OK` when the call succeeded. */
  code: string;
  message: string;
  details: Array<{ type: string; value: object }>;
  bytes?: Buffer;
}

export interface CallOptions {
  timeoutMs?: number;
  /** The caller goes away after this. */
  cancelAfterMs?: number;
  metadata?: Record<string, string>;
}

function detailsOf(error: ServiceError): Answer['details'] {
  const bin = error.metadata?.get('grpc-status-details-bin')[0];
  if (!(bin instanceof Buffer)) return [];
  const decoded = root.lookupType('google.rpc.Status').decode(bin) as unknown as {
    details: Array<{ type_url: string; value: Uint8Array }>;
  };
  return decoded.details.map(({ type_url, value }) => {
    const type = type_url.split('/').at(-1) ?? '';
    return { type, value: root.lookupType(type).toObject(root.lookupType(type).decode(value), { longs: String }) };
  });
}

export class RawClient {
  readonly #client: Client;
  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      // a connection of its own: what happens to one caller's must not show at another's
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
    });
  }

  send(path: string, bytes: Uint8Array, { timeoutMs = 10_000, cancelAfterMs, metadata = {} }: CallOptions = {}): Promise<Answer> {
    const headers = new Metadata();
    for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + timeoutMs };
      const same = (buffer: Buffer) => buffer;
      const call = this.#client.makeUnaryRequest(path, same, same, Buffer.from(bytes), headers, options, (error, answer) => {
        clearTimeout(leave);
        if (error) resolve({ code: status[error.code] ?? String(error.code), message: error.details, details: detailsOf(error) });
        else resolve({ code: 'OK', message: '', details: [], bytes: answer });
      });
      const leave = cancelAfterMs === undefined ? undefined : setTimeout(() => call.cancel(), cancelAfterMs);
    });
  }

  /** Calls a method of the open API; the response is decoded into plain values. */
  async call(
    service: string,
    method: string,
    request: object,
    options?: CallOptions,
  ): Promise<Answer & { response?: Record<string, unknown> }> {
    const definition = root.lookupService(service).methods[method];
    definition?.resolve();
    if (!definition?.resolvedRequestType || !definition.resolvedResponseType) throw new Error(`no method ${service}/${method}`);
    const { resolvedRequestType: input, resolvedResponseType: output } = definition;
    const answer = await this.send(`/${service}/${method}`, input.encode(input.fromObject(request)).finish(), options);
    if (!answer.bytes) return answer;
    return { ...answer, response: output.toObject(output.decode(answer.bytes), { longs: String, enums: String }) };
  }

  close(): void {
    this.#client.close();
  }
}
