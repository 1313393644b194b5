/** The same seam on grpc-js, for what needs its own types: custom credentials, interceptors, channel arguments, proxies. */
import type { ChannelCredentials, ChannelOptions, Interceptor } from '@grpc/grpc-js';
import { Client, Metadata as GrpcMetadata } from '@grpc/grpc-js';
import type { Channel, UnaryCall } from './channel.js';
import { GrpcError, isGrpcServiceError } from './grpc-error.js';

const passBytes = (bytes: Uint8Array) => bytes as Buffer;
const takeBytes = (bytes: Buffer) => bytes;

/** A channel of grpc-js. */
export class GrpcJsChannel implements Channel {
  private readonly client: Client;

  constructor(
    address: string,
    credentials: ChannelCredentials,
    channelArgs: ChannelOptions,
    private readonly interceptors: Interceptor[],
  ) {
    this.client = new Client(address, credentials, channelArgs);
  }

  unary(call: UnaryCall): Promise<Uint8Array> {
    const metadata = new GrpcMetadata();
    for (const [key, value] of Object.entries(call.metadata)) metadata.set(key, value);
    return new Promise((resolve, reject) => {
      const onAbort = () => started.cancel();
      const options = { deadline: Date.now() + call.timeoutMs, interceptors: this.interceptors };
      const started = this.client.makeUnaryRequest(call.path, passBytes, takeBytes, call.request, metadata, options, (err, response) => {
        call.signal?.removeEventListener('abort', onAbort);
        if (!err) resolve(response ?? new Uint8Array());
        else reject(isGrpcServiceError(err) ? new GrpcError(err.code, err.details, err.metadata, { cause: err }) : err);
      });
      if (call.signal?.aborted) onAbort();
      call.signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  close(): void {
    this.client.close();
  }
}
