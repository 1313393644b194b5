/** What every row of the table shares: options, an engine, the raw limits in the same run, figures held against their goals, CPU by process. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { atEnd, bench } from './ending.mjs';
import { startEngine } from './engine.mjs';
import { rawLimits } from './limits.mjs';
import { misused, readOptions } from './options.mjs';
import { familyCpuMs, postgresCpuMs } from './processes.mjs';

const commit = () => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();
  } catch {
    return 'no commit';
  }
};

/** CPU milliseconds of each process since the meter was made: `engine`, `postgres` and whatever else was named. */
export function cpuMeter(engine, others = {}) {
  const read = () => ({
    engine: familyCpuMs(engine.enginePid),
    postgres: postgresCpuMs(engine.postgresRoot),
    ...Object.fromEntries(Object.entries(others).map(([name, pid]) => [name, familyCpuMs(pid)])),
  });
  let before = read();
  return {
    /** What was spent since the last look. */
    take() {
      const after = read();
      const spent = Object.fromEntries(Object.keys(after).map((name) => [name, after[name] === undefined ? undefined : after[name] - (before[name] ?? 0)]));
      before = after;
      return spent;
    },
  };
}

/** `engine 0.65, postgres 0.34` for CPU milliseconds spent on so many units. */
export const cpuText = (spent, units) =>
  Object.entries(spent)
    .filter(([, ms]) => ms !== undefined)
    .map(([name, ms]) => `${name} ${(ms / units).toFixed(ms / units < 10 ? 2 : 0)}`)
    .join(', ');

/** What the engine and its database spent together. */
export const serverCpu = (spent) => (spent.engine ?? 0) + (spent.postgres ?? 0);

const shown = (value) => (Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en').replaceAll(',', ' ') : String(Number(value.toPrecision(3))));

function figureLine({ what, value, unit = '', atMost, atLeast, note }) {
  const goal = atMost !== undefined ? `≤ ${shown(atMost)}${unit && ` ${unit}`}` : atLeast !== undefined ? `≥ ${shown(atLeast)}${unit && ` ${unit}`}` : '';
  const unknown = value === undefined || Number.isNaN(value); // CPU of another machine, say
  if (unknown) return { what, figure: '–', goal, reached: '', note: note ?? '' };
  const reached = goal === '' ? '' : (atMost !== undefined ? value <= atMost : value >= atLeast) ? 'reached' : 'NOT reached';
  return { what, figure: `${shown(value)}${unit && ` ${unit}`}`, goal, reached, note: note ?? '' };
}

/** Figures as Markdown, each with its goal and whether it was reached. */
export function figuresTable(lines) {
  const head = ['what', 'figure', 'goal', '', 'note'];
  const rows = lines.map((line) => [line.what, line.figure, line.goal, line.reached, line.note]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const pad = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [pad(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(pad)].join('\n');
}

/** What it was measured on. */
export const machine = () =>
  `${os.cpus().length} × ${os.cpus()[0]?.model}, Node ${process.version}, load average ${os.loadavg()[0].toFixed(1)}, commit ${commit()}, ${new Date().toISOString().slice(0, 10)}`;

/** Figures and notes of one command: printed, and written to a file when one is named. */
export function report(title, figures, notes, json) {
  const lines = figures.map(figureLine);
  const all = [machine(), ...notes];
  console.log(`\n## ${title}\n\n${figuresTable(lines)}\n\n${all.map((note) => `- ${note}`).join('\n')}`);
  if (json) writeFileSync(json, JSON.stringify({ title, lines, notes: all }, null, 2));
}

const SCRATCH = 'perdure-bench-';

const lives = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** What a benchmark that was killed left behind: the name says which process it belonged to. */
function sweepScratch() {
  for (const name of readdirSync(os.tmpdir())) {
    const pid = new RegExp(`^${SCRATCH}(\\d+)-`).exec(name)?.[1];
    if (pid && !lives(Number(pid))) rmSync(join(os.tmpdir(), name), { recursive: true, force: true });
  }
}

/** A folder for data that are to lie on disk like anybody's, gone at the end. */
export function scratchFolder() {
  sweepScratch();
  const folder = mkdtempSync(join(os.tmpdir(), `${SCRATCH}${process.pid}-`));
  chmodSync(folder, 0o755); // PostgreSQL may run under another account
  return { folder, remove: atEnd(() => rmSync(folder, { recursive: true, force: true })) };
}

/**
 * One row: an engine (of its own unless an address is given), the raw limits, the work, the report.
 * @param options.engine how its engine is started, see `startEngine`
 * @param options.lasting its data lie on disk like anybody's
 * @param options.options, options.not see `readOptions`
 * @param options.needs 'database' or 'metrics': with --address it needs --database-url or --http-address as well
 * @param work ({ engine, number, values, figure, note }) does it; `figure` takes {what, value, unit, atMost | atLeast, note}
 */
export async function benchRow({ title, engine: engineOptions = {}, lasting = false, options, not, needs, limits = true }, work) {
  const { values, number } = readOptions(options, not);
  if (needs === 'database' && values.address && !values['database-url']) misused('--address: needs --database-url as well, which is looked into');
  if (needs === 'metrics' && values.address && !values['http-address']) misused('--address: needs --http-address as well, whose metrics are read');
  await bench(async () => {
    const scratch = lasting && !values.address && !values['database-url'] ? scratchFolder() : undefined;
    const figures = [];
    const notes = [];
    let engine;
    try {
      engine = await startEngine({
        address: values.address,
        httpAddress: values['http-address'],
        databaseUrl: values['database-url'],
        dataFolder: scratch && join(scratch.folder, 'postgres'),
        profile: values.profile,
        ...engineOptions,
      });
      if (limits) notes.push(...(await rawLimits(engine)));
      await work({
        engine,
        values,
        number,
        figure: (line) => void figures.push(line),
        note: (text) => void notes.push(text),
        progress: (text) => console.error(`${title}: ${text}`),
      });
    } finally {
      await engine?.stop();
      await scratch?.remove();
    }
    report(title, figures, notes, values.json);
  });
}
