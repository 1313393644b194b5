/** Connections that another process accepted: served as if they were this one's own, and told to go elsewhere without a call being lost. */
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Connection as ClientConnection } from '@perdure/sdk/client';
import type { Call } from '../../server/engine/call.js';
import { Connection } from '../../server/transport/grpc/connections.js';
import { connectionsToMove } from '../../server/transport/grpc/connections-to-move.js';
import { createGrpcServer, type GrpcServer } from '../../server/transport/grpc/grpc-server.js';
import { until } from '../helpers/until.js';

const PROTO = fileURLToPath(new URL('../../proto/perdure/v1/calls.proto', import.meta.url));
const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, trace() {}, child: () => silent } as never;

let accepting: Server | undefined;
let members: GrpcServer[] = [];
let connection: ClientConnection | undefined;
afterEach(async () => {
  await connection?.close();
  accepting?.close();
  await Promise.all(members.map((member) => member.stop(0)));
  members = [];
});

/** One that answers by its name, and whose polls wait until their caller or connection goes. */
function memberOf(name: string, polls: Call[]): GrpcServer {
  const member = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    handed: true,
    log: silent,
    callStreamProto: PROTO,
    services: {
      workflow: {
        GetSystemInfo: async () => ({ serverVersion: '1.32.0' }),
        GetClusterInfo: async () => ({ clusterName: name }),
        PollWorkflowTaskQueue: (_request: object, call: Call) =>
          new Promise((resolve) => {
            polls.push(call);
            call.onCancelled(() => resolve({}));
          }),
      },
      operator: {},
    },
  });
  members.push(member);
  return member;
}

describe('a connection that was handed over', () => {
  it('is told to go elsewhere: its polls end empty, and what comes next comes on another', async () => {
    const polls: Call[] = [];
    const [first, second] = [memberOf('first', polls), memberOf('second', polls)];
    await Promise.all(members.map((member) => member.start()));
    let to = first;
    accepting = createServer((socket) => to.connections.take(socket)).listen(0, '127.0.0.1');
    await until('a port', () => accepting!.listening);
    const { port } = accepting.address() as { port: number };
    connection = await ClientConnection.connect({ address: `127.0.0.1:${port}` });
    const service = connection.workflowService;
    const who = async (): Promise<string | null | undefined> => (await service.getClusterInfo({})).clusterName;
    for (let i = 0; i < 4; i++) expect(await who()).toBe('first');

    const poll = service.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name: 'q' } });
    await until('the poll', () => polls.length === 1);
    expect(first.connections.size).toBe(1);
    to = second;
    expect(first.connections.move(1)).toBe(1);
    expect((await poll).taskToken ?? []).toHaveLength(0);
    expect(await who()).toBe('second');
    await until('the old connection to close', () => first.connections.size === 0);
    expect(await who()).toBe('second');
  });

  it('goes to where its workers are when none of them is here, and stays when one is', async () => {
    const { connections } = memberOf('first', []);
    const left: string[] = [];
    const worker = new Connection(() => left.push('worker'));
    const near = new Connection(() => left.push('near'));
    const far = new Connection(() => left.push('far'));
    const all = connections as unknown as { byPeer: Map<string, Connection> };
    all.byPeer
      .set('worker', worker)
      .set('near', near)
      .set('far', far)
      .set('quiet', new Connection(() => left.push('quiet')));
    const early = { endEarly: () => undefined };
    worker.begin('PollWorkflowTaskQueue', { namespace: 'n', taskQueue: { name: 'sticky', normalName: 'a' } }, early);
    near.begin('StartWorkflowExecution', { namespace: 'n', taskQueue: { name: 'a' } }, early);
    near.begin('StartWorkflowExecution', { namespace: 'n', taskQueue: { name: 'b' } }, early);
    far.begin('StartWorkflowExecution', { namespace: 'n', taskQueue: { name: 'b' } }, early);
    expect(connections.queueUse()).toEqual({ polled: ['n/a'], strays: ['n/b'] });
    expect(connections.gather(['n/a', 'n/b'])).toBe(1);
    expect(connections.gather(['n/b'])).toBe(0);
    expect(left).toEqual(['far']);
    all.byPeer.clear();
  });
});

describe('which connections go', () => {
  const use = (name: string, calls: number, ...queues: string[]) => ({
    name,
    calls,
    queues: new Set(queues),
    polled: new Set(name.startsWith('worker') ? queues : []),
  });
  const names = (uses: readonly { name: string }[]): string[] => uses.map(({ name }) => name).sort();

  it('callers go with the workers whose queues they use', () => {
    const uses = [use('client a', 20, 'a'), use('worker a', 60, 'a'), use('client b', 20, 'b'), use('worker b', 60, 'b')];
    expect(names(connectionsToMove(uses, 0.5))).toEqual(['client a', 'worker a']);
  });

  it('queues that a connection uses together stay together', () => {
    const uses = [use('client', 30, 'a', 'b'), use('worker a', 30, 'a'), use('worker b', 30, 'b'), use('other', 90, 'c')];
    expect(names(connectionsToMove(uses, 0.5))).toEqual(['client', 'worker a', 'worker b']);
  });

  it('a group that is too large is split', () => {
    const uses = Array.from({ length: 8 }, (_, i) => use(`worker ${i}`, 10, 'a'));
    expect(connectionsToMove(uses, 0.5)).toHaveLength(4);
  });

  it('a group is split so that both parts have workers, or not at all', () => {
    const two = [use('worker 1', 10, 'a'), use('worker 2', 10, 'a'), use('client 1', 30, 'a'), use('client 2', 30, 'a')];
    expect(names(connectionsToMove(two, 0.5)).map((name) => name.replace(/ .*/, ''))).toEqual(['client', 'worker']);
    expect(connectionsToMove([use('worker', 10, 'a'), use('client 1', 30, 'a'), use('client 2', 30, 'a')], 0.5)).toEqual([]);
  });

  it('of the workers of one queue as large a share goes as of its callers', () => {
    const uses = [
      ...Array.from({ length: 4 }, (_, i) => use(`worker ${i}`, 10, 'a')),
      ...Array.from({ length: 4 }, (_, i) => use(`client ${i}`, 30, 'a')),
    ];
    const kinds = names(connectionsToMove(uses, 0.5)).map((name) => name.replace(/ .*/, ''));
    expect(kinds).toEqual(['client', 'client', 'worker', 'worker']);
  });

  it('all of them go when all are to', () => {
    expect(connectionsToMove([use('one', 1), use('two', 0, 'a')], 1)).toHaveLength(2);
  });
});
