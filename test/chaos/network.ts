/** A network between an engine and its database that can be cut: connections stay open, and nothing arrives any more, as when a cable is pulled; or they are closed, and none can be made. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

export class Network {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private isCut = false;
  private isClosed = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param databaseUrl that of an embedded PostgreSQL: `postgres://user@host/name?host=folder of its socket` */
  static async to(databaseUrl: string): Promise<Network> {
    const inner = new URL(databaseUrl);
    const socket = `${inner.searchParams.get('host')}/.s.PGSQL.5432`;
    const server = createServer((near) => network.connected(near, connect(socket)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const network = new Network(server, `postgres://${inner.username}@127.0.0.1:${port}${inner.pathname}?sslmode=disable`);
    return network;
  }

  private connected(near: Socket, far: Socket): void {
    const pair = [near, far] as const;
    if (this.isClosed) {
      for (const socket of pair) socket.on('error', () => undefined).destroy();
      return;
    }
    this.pairs.add(pair);
    const gone = (): void => {
      near.destroy();
      far.destroy();
      this.pairs.delete(pair);
    };
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', gone).on('close', () => this.isCut || gone());
    }
    if (this.isCut) this.hold(pair);
  }

  private hold(pair: readonly [Socket, Socket]): void {
    for (const socket of pair) socket.pause();
  }

  cut(): void {
    this.isCut = true;
    for (const pair of this.pairs) this.hold(pair);
  }

  /** Ends all connections, and every new one at once. */
  closeAll(): void {
    this.isClosed = true;
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  /** What was on its way arrives now. */
  heal(): void {
    this.isCut = false;
    this.isClosed = false;
    for (const [near, far] of this.pairs) {
      if (near.destroyed || far.destroyed) {
        near.destroy();
        far.destroy();
      } else {
        near.resume();
        far.resume();
      }
    }
  }

  async close(): Promise<void> {
    this.heal();
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
