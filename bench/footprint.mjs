/**
 * What a one-activity workflow costs the database: commits, bytes of WAL, bytes on disk once it is closed. The database lies on disk like anybody's,
 * with full-page writes.
 *
 *   node bench/footprint.mjs --count 5000
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startPair } from './lib/children.mjs';
import { counters, growth, relationBytes, withDatabase } from './lib/database.mjs';
import { metric } from './lib/engine.mjs';
import { benchRow, cpuMeter, cpuText } from './lib/frame.mjs';
import { numeric } from './lib/options.mjs';

/** Until the engine has cleared away what the last runs have left among the open ones. */
const SWEPT_MS = 3_000;

const OPTIONS = {
  count: numeric(5_000, 2_000, 'workflows'),
  'http-address': { type: 'string', value: 'host:port', what: 'with --address: where its metrics are, which tell group commits' },
};

await benchRow({ title: 'Commits, WAL and disk of a one-activity workflow', lasting: true, engine: { http: true }, needs: 'database', options: OPTIONS }, async ({ engine, number, figure, note, progress }) => {
  const count = number('count');
  const pair = await startPair(engine.address);
  const run = (inFlight, limit) => pair.client.ask({ scenario: 'one-activity', inFlight, limit, seconds: 600 });
  try {
    await withDatabase(engine.databaseUrl, async (client) => {
      await run(50, 1_500);
      progress(`${count} workflows, 50 in flight`);
      const measure = async (inFlight, limit) => {
        const before = { ...(await counters(client)), groups: await metric(engine, 'perdure_commits_total'), items: await metric(engine, 'perdure_transitions_total') };
        await run(inFlight, limit);
        const after = { ...(await counters(client)), groups: await metric(engine, 'perdure_commits_total'), items: await metric(engine, 'perdure_transitions_total') };
        return Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] - before[name]) / limit]));
      };
      const bytesBefore = await relationBytes(client, { vacuum: true });
      // what a checkpoint leads to falls to everybody; it is part of the price, but not of that of one moment
      await client.query('checkpoint');
      const cpu = cpuMeter(engine, { worker: pair.worker.pid, client: pair.client.pid });
      const together = await measure(50, count);
      const spent = cpu.take();
      await sleep(SWEPT_MS);
      const asItLies = growth(bytesBefore, await relationBytes(client, { vacuum: false }), count);
      const disk = growth(bytesBefore, await relationBytes(client, { vacuum: true }), count);
      const alone = await measure(1, Math.min(300, count));
      figure({ what: 'commits, 50 in flight (reads included)', value: together.commits, atMost: 4 });
      figure({ what: 'commits, one at a time (reads included)', value: alone.commits, note: 'nothing to share them with' });
      figure({ what: 'WAL', value: together.wal / 1000, unit: 'kB', atMost: 8, note: `one at a time ${(alone.wal / 1000).toFixed(1)} kB` });
      figure({ what: 'disk, closed and vacuumed', value: disk.all / 1000, unit: 'kB', atMost: 4, note: `as it lies, vacuumed by nobody else ${(asItLies.all / 1000).toFixed(1)} kB` });
      if (engine.httpAddress) note(`transitions per workflow: ${together.items.toFixed(2)}; group commits: ${together.groups?.toFixed(3)} with 50 in flight, ${alone.groups?.toFixed(2)} one at a time`);
      note(`CPU-ms per workflow: ${cpuText(spent, count)}`);
      note(`bytes by table and index: ${disk.each.filter(([, bytes]) => bytes >= 1).map(([name, bytes]) => `${name} ${bytes.toFixed(0)}`).join(', ')}`);
    });
  } finally {
    await pair.end();
  }
});
