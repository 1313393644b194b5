/** A node with nothing to do asks next to nothing, remembers little, and misses nothing for it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { composeEngine } from '../../server/compose-engine.js';
import { readConfig } from '../../server/config.js';
import { systemIds } from '../../server/engine/ids.js';
import type { Logger } from '../../server/log.js';
import { NodeWatch } from '../../server/loops/node-watch.js';
import { deliverOutboxOnce } from '../../server/loops/outbox-deliverer.js';
import { fireTimersOnce } from '../../server/loops/timer-firer.js';
import { DatabaseLost } from '../../server/storage/database.js';
import { Nodes } from '../../server/storage/nodes.js';
import { Outbox } from '../../server/storage/outbox.js';
import { command, EngineNode, ManualClock } from '../helpers/engine-node.js';
import { createDatabase, type TestDatabase } from '../helpers/postgres.js';

let database: TestDatabase;
let node: EngineNode;
beforeEach(async () => {
  database = await createDatabase();
  node = new EngineNode(database.url);
  await node.addNamespace('default');
});
afterEach(async () => {
  await node.close();
  await database.drop();
});

/** Names of the statements that were sent meanwhile. */
async function statementsOf(work: () => Promise<unknown>): Promise<(string | undefined)[]> {
  const query = vi.spyOn(node.engine.database, 'query');
  await work();
  const names = query.mock.calls.map(([{ name }]) => name);
  query.mockRestore();
  return names;
}

describe('the loop that fires timers', () => {
  it('asks once, and sleeps until something is due, a while at most', async () => {
    expect(await statementsOf(async () => expect(await fireTimersOnce(node.engine)).toBe(10_000))).toEqual(['runs-due']);
    await node.start('sleeper');
    await node.step('sleeper', [command.timer('nap', 4)]);
    expect(await fireTimersOnce(node.engine)).toBe(4_000);
    node.clock.forward(1_500);
    expect(await fireTimersOnce(node.engine)).toBe(2_500);
  });

  it('looks each second where another node may have stored a deadline', async () => {
    const other = new EngineNode(database.url, { others: true });
    expect(await fireTimersOnce(other.engine)).toBe(1_000);
    await other.close();
  });

  it('comes again soon for a run that could not be moved on', async () => {
    await node.start('sleeper');
    await node.step('sleeper', [command.timer('nap', 4)]);
    node.clock.forward(4_000);
    while (node.engine.cache.size > 0) node.engine.cache.shrink();
    const { committer } = node.engine;
    const commit = vi.spyOn(committer, 'commit').mockRejectedValueOnce(new DatabaseLost(new Error('Connection terminated unexpectedly')));
    expect(await fireTimersOnce(node.engine)).toBe(1_000);
    commit.mockRestore();
    await fireTimersOnce(node.engine);
    expect(await node.story('sleeper')).toContain('TIMER_FIRED');
  });
});

it('looks each second for a while after a statement was lost: it may have stored what nobody was told of', async () => {
  const quiet = (): void => undefined;
  const silent = { warn: quiet, info: quiet, debug: quiet, error: quiet } as unknown as Logger;
  const clock = new ManualClock();
  const { engine, parts } = composeEngine(readConfig({}, { databaseUrl: database.url, databasePoolSize: '2' }), silent, clock, systemIds);
  const wakeIn = vi.fn();
  parts.timers = { wake: quiet, wakeIn };
  expect(engine.lookMs()).toBe(10_000);
  const lost = expect(engine.database.query({ text: 'select pg_sleep(30)' })).rejects.toThrow('The database does not answer');
  await vi.waitFor(async () => {
    const ended = await node.engine.database.query({ text: "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'select pg_sleep%'" });
    expect(ended).toHaveLength(1);
  });
  await lost;
  expect(engine.lookMs()).toBe(1_000);
  expect(wakeIn).toHaveBeenCalledWith(1_000);
  clock.forward(60_000);
  expect(engine.lookMs()).toBe(10_000);
  await engine.database.close();
});

describe('the loop that delivers messages', () => {
  it('asks once while there are none, and sleeps until the time of the first', async () => {
    expect(await statementsOf(async () => expect(await deliverOutboxOnce(node.engine)).toBe(10_000))).toEqual(['outbox-next']);
    const sender = new EngineNode(database.url, { clock: node.clock, holdMessages: true });
    await sender.start('p');
    await sender.step('p', [command.child('c')]);
    expect(await deliverOutboxOnce(node.engine)).toBe(3_000);
    node.clock.forward(3_000);
    await deliverOutboxOnce(node.engine);
    await vi.waitFor(async () => expect(await node.story('p')).toContain('CHILD_WORKFLOW_EXECUTION_STARTED'));
    await sender.close();
  });

  it('is woken when messages are stored, and when one is put off', async () => {
    const at: number[] = [];
    const sender = new EngineNode(database.url, { clock: node.clock, holdMessages: true });
    Object.assign(sender.engine, { messagesAt: (ms: number) => at.push(ms - node.clock.now()) });
    await sender.start('p');
    await sender.step('p', [command.child('c')]);
    expect(at).toEqual([3_000]);
    const waits: number[] = [];
    const outbox = new Outbox(node.engine.database, (ms) => waits.push(ms));
    const { id } = sender.held[0]!;
    await outbox.putOff([id], 1_000, { baseMs: 200, maxMs: 60_000 });
    await outbox.putOffUntil(id, 5_000);
    expect(waits).toEqual([1_200, 5_000]);
    await sender.close();
  });
});

describe('the watch over nodes', () => {
  const watch = (id: string, others: boolean[]) =>
    new NodeWatch({
      nodes: new Nodes(node.engine.database),
      self: { id, host: `host-of-${id}`, pid: 1, startedMs: 0 },
      now: () => node.clock.now(),
      log: node.engine.log,
      onOthers: (there) => others.push(there),
      greet: async () => undefined,
      onDead: () => undefined,
    });
  const look = (watched: NodeWatch): Promise<number> => (watched as unknown as { runOnce(): Promise<number> }).runOnce();

  it('asks once when nothing is new, sees who has come, and is there again when it was taken for dead', async () => {
    const [one, two] = [systemIds.newId(), systemIds.newId()];
    const seen: boolean[] = [];
    const first = watch(one, seen);
    await look(first);
    expect(await statementsOf(() => look(first))).toEqual(['node-seen-again']);
    expect(seen).toEqual([false, false]);

    await new Nodes(node.engine.database).seen({ id: two, host: 'elsewhere', pid: 1, startedMs: 0 }, node.clock.now(), false);
    expect(await statementsOf(() => look(first))).toEqual(['node-seen-again', 'node-seen']); // and says that it knows
    expect(seen.at(-1)).toBe(true);

    await new Nodes(node.engine.database).bury(one);
    await look(first);
    expect((await new Nodes(node.engine.database).others(two, 0)).map(({ id, alone }) => ({ id, alone }))).toEqual([{ id: one, alone: false }]);
  });
});
