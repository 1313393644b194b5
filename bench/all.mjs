/**
 * The whole table, one row after the other, each in a process of its own and bounded in time.
 *
 *   node bench/all.mjs                          about 20 minutes
 *   node bench/all.mjs --quick                  smaller: about 8 minutes
 *   node bench/all.mjs --only overload,timers   some rows
 *   node bench/all.mjs --report table.md        also written as Markdown
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atEnd, bench } from './lib/ending.mjs';
import { figuresTable } from './lib/frame.mjs';
import { readOptions } from './lib/options.mjs';

/** Rows in order: their command, how long they may take, and what they want beside --address (`own`: they start engines of their own). */
const rows = {
  workflows: { args: ['run.mjs', '--sdk', 'both'], minutes: 6 },
  sdk: { args: ['sdk.mjs'], minutes: 8 },
  footprint: { args: ['footprint.mjs'], minutes: 3, needs: 'database-url' },
  timers: { args: ['timers.mjs'], minutes: 6, needs: 'database-url' },
  'long-run': { args: ['long-run.mjs'], minutes: 5 },
  payloads: { args: ['payloads.mjs'], minutes: 3 },
  'closed-runs': { args: ['closed-runs.mjs'], minutes: 12, needs: 'database-url' },
  startup: { args: ['startup.mjs'], minutes: 3, own: true },
  processes: { args: ['processes.mjs'], minutes: 8, own: true },
  handover: { args: ['handover.mjs'], minutes: 3, needs: 'database-url' },
  overload: { args: ['overload.mjs'], minutes: 4, needs: 'http-address' },
  'overload-cases': { args: ['overload-cases.mjs'], minutes: 4, own: true },
};

/** For what a command that is asked to end has to put away. */
const GRACE_MS = 20_000;

/** Runs a command; ends it, and what it started, when its time is up. */
function run([file, ...rest], minutes) {
  // a group of its own, so that none of it outlives its time
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...rest], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  let cutOff = false;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = atEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const kill = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(kill);
  });
  const timer = setTimeout(() => {
    cutOff = true;
    void stop();
  }, minutes * 60_000);
  return ended.then(async (code) => {
    clearTimeout(timer);
    await stop();
    return cutOff ? `cut off after ${minutes} minutes` : code === 0 ? undefined : `ended with code ${code}`;
  });
}

const NAMES = Object.keys(rows);
const { values: options } = readOptions(
  {
    only: { type: 'string', value: 'a,b,…', oneOf: NAMES, several: true, what: `some rows of ${NAMES.join(', ')}` },
    report: { type: 'string', value: 'file', what: 'the table, also written there as Markdown' },
    'http-address': { type: 'string', value: 'host:port', what: 'with --address: where its metrics are' },
  },
  { profile: 'name it to the command of a row' },
);

/** Flags that a row takes over; undefined when it cannot measure that server. */
function passedOn({ own = false, needs }) {
  if (options.address && (own || (needs && !options[needs]))) return undefined;
  const names = ['database-url', 'quick', ...(own ? [] : ['address']), ...(needs === 'http-address' ? [needs] : [])];
  return names.filter((name) => options[name] !== undefined).flatMap((name) => (options[name] === true ? [`--${name}`] : [`--${name}`, options[name]]));
}

await bench(async () => {
  const folder = mkdtempSync(join(os.tmpdir(), 'perdure-bench-'));
  const forget = atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const lines = [];
  const begin = performance.now();
  try {
    for (const name of options.only?.split(',') ?? NAMES) {
      const { args, minutes } = rows[name];
      const json = join(folder, `${name}.json`);
      const more = passedOn(rows[name]);
      console.error(`\n== ${name}${more ? '' : ': left out, it cannot measure that server so'}`);
      if (!more) continue;
      const problem = await run([...args, ...more, '--json', json], minutes);
      lines.push(...(problem ? [{ what: name, figure: '–', goal: '', reached: 'NOT reached', note: problem }] : JSON.parse(readFileSync(json, 'utf8')).lines));
    }
  } finally {
    await forget();
  }
  const missed = lines.filter((line) => line.reached === 'NOT reached').length;
  const text = `${figuresTable(lines)}\n\n${lines.length} figures, ${missed} goals not reached; ${((performance.now() - begin) / 60_000).toFixed(1)} minutes, load average ${os.loadavg()[0].toFixed(1)} at the end.`;
  console.log(`\n# All rows\n\n${text}`);
  if (options.report) writeFileSync(options.report, `${text}\n`);
  if (options.json) writeFileSync(options.json, JSON.stringify({ lines }, null, 2));
});
