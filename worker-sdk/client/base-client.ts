/** What all clients have: connection, namespace, identity, data converter. */
import os from 'node:os';
import { IllegalStateError } from '../definitions/errors.js';
import type { DataConverter, LoadedDataConverter } from '../payload/data-converter.js';
import { isLoadedDataConverter } from '../payload/data-converter.js';
import { loadDataConverter } from '../payload/load-data-converter.js';
import type { Metadata } from '../transport/channel.js';
import type { ConnectionLike } from '../transport/connection.js';
import { Connection } from '../transport/connection.js';
import type { WorkflowService } from '../transport/service.js';

/** Options of every client. */
export interface BaseClientOptions {
  /** How values become payloads; the same one as the workers'. */
  dataConverter?: DataConverter;
  /** Who is calling, as shown in histories. Default `pid@hostname`. */
  identity?: string;
  /** Default: a lazy connection to `localhost:7233`. */
  connection?: ConnectionLike;
  /** Default `default`. */
  namespace?: string;
}

type WithDefaults<Options extends BaseClientOptions> = Required<Omit<Options, 'connection'>> & Pick<Options, 'connection'>;

/** Options with their defaults filled in and the data converter loaded. */
export type LoadedWithDefaults<Options extends BaseClientOptions> = WithDefaults<Options> & { loadedDataConverter: LoadedDataConverter };

/** `pid@hostname`. */
export function defaultIdentity(): string {
  return `${process.pid}@${os.hostname()}`;
}

/** The common part of clients. */
export class BaseClient {
  /** The connection this client uses; share one among clients. */
  readonly connection: ConnectionLike;
  protected readonly dataConverter: LoadedDataConverter;
  protected readonly namespace: string;
  protected readonly identity: string;

  protected constructor(options: BaseClientOptions = {}) {
    this.connection = options.connection ?? Connection.lazy();
    const converter = (options as { loadedDataConverter?: LoadedDataConverter }).loadedDataConverter ?? options.dataConverter;
    this.dataConverter = isLoadedDataConverter(converter) ? converter : loadDataConverter(converter);
    this.namespace = options.namespace ?? 'default';
    this.identity = options.identity ?? defaultIdentity();
    if (!this.connection.workflowService) throw new IllegalStateError("Invalid 'connection': expected a Connection");
  }

  /** All RPCs of the open workflow API. The namespace is not filled in here. */
  get workflowService(): WorkflowService {
    return this.connection.workflowService;
  }

  /** Calls made within `fn` end at `deadline` with DEADLINE_EXCEEDED; see {@link Connection.withDeadline}. */
  withDeadline<R>(deadline: number | Date, fn: () => Promise<R>): Promise<R> {
    return this.connection.withDeadline(deadline, fn);
  }

  /** Calls made within `fn` end with CANCELLED when the signal aborts. */
  withAbortSignal<R>(abortSignal: AbortSignal, fn: () => Promise<R>): Promise<R> {
    return this.connection.withAbortSignal(abortSignal, fn);
  }

  /** Calls made within `fn` carry `metadata`. */
  withMetadata<R>(metadata: Metadata, fn: () => Promise<R>): Promise<R> {
    return this.connection.withMetadata(metadata, fn);
  }

  protected baseOptions(): WithDefaults<BaseClientOptions> & { loadedDataConverter: LoadedDataConverter } {
    const { connection, namespace, identity } = this;
    return { connection, namespace, identity, dataConverter: {}, loadedDataConverter: this.dataConverter };
  }
}
