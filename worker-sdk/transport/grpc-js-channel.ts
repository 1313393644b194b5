/** The same seam on grpc-js, for what needs its own types: custom credentials, interceptors, channel arguments, proxies. */
import type { ChannelCredentials, ChannelOptions, ClientUnaryCall, Interceptor, ServiceError } from '@grpc/grpc-js';
import { Client, Metadata as GrpcMetadata, status } from '@grpc/grpc-js';
import type { Channel, UnaryCall } from './channel.js';
import { metadataOf } from './channel.js';
import { GrpcError, isGrpcServiceError } from './grpc-error.js';

const passBytes = (bytes: Uint8Array) => bytes as Buffer;
const takeBytes = (bytes: Buffer) => bytes;

/** A channel of grpc-js. */
export class GrpcJsChannel implements Channel {
  readonly sharesStream = false;
  private readonly client: Client;
  private readonly calls = new Set<ClientUnaryCall>();
  private closed = false;

  constructor(
    address: string,
    credentials: ChannelCredentials,
    channelArgs: ChannelOptions,
    private readonly interceptors: Interceptor[],
  ) {
    this.client = new Client(address, credentials, channelArgs);
  }

  unary(call: UnaryCall): Promise<Uint8Array> {
    if (this.closed) return Promise.reject(new GrpcError(status.CANCELLED, 'The connection was closed', new GrpcMetadata()));
    const metadata = new GrpcMetadata();
    for (const [key, value] of Object.entries(metadataOf(call))) metadata.set(key, value);
    return new Promise((resolve, reject) => {
      const onAbort = () => started.cancel();
      const options = { deadline: Date.now() + call.timeoutMs, interceptors: this.interceptors };
      const started = this.client.makeUnaryRequest(call.path, passBytes, takeBytes, call.request, metadata, options, (err, response) => {
        this.calls.delete(started);
        call.signal?.removeEventListener('abort', onAbort);
        if (!err) resolve(response ?? new Uint8Array());
        else reject(this.failure(err, Boolean(call.signal?.aborted)));
      });
      this.calls.add(started);
      if (call.signal?.aborted) onAbort();
      else call.signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  close(): void {
    this.closed = true;
    for (const call of this.calls) call.cancel();
    this.client.close();
  }

  private failure(err: ServiceError, aborted: boolean): Error {
    if (!isGrpcServiceError(err)) return err;
    // A server that goes away resets streams with CANCEL, which grpc-js takes for the caller's own wish.
    const lost = err.code === status.CANCELLED && !aborted && !this.closed;
    return new GrpcError(lost ? status.UNAVAILABLE : err.code, err.details, err.metadata, { cause: err });
  }
}
