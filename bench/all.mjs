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
import { parseArgs } from 'node:util';
import { figuresTable } from './lib/frame.mjs';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' }, report: { type: 'string' } } });

/** Rows in order: their command, what is smaller when it must be quick, and how long they may take. */
const rows = {
  workflows: { args: ['run.mjs', '--sdk', 'both', '--seconds', '6'], quick: ['--seconds', '3'], minutes: 6 },
  sdk: { args: ['sdk.mjs'], quick: ['--rounds', '2', '--seconds', '3'], minutes: 8 },
  footprint: { args: ['footprint.mjs'], quick: ['--count', '2000'], minutes: 3 },
  timers: { args: ['timers.mjs'], quick: ['--count', '20000', '--due', '2000', '--seconds', '10'], minutes: 6 },
  'long-run': { args: ['long-run.mjs'], quick: ['--count', '4000'], minutes: 5 },
  'closed-runs': { args: ['closed-runs.mjs'], quick: ['--count', '100000'], minutes: 12 },
  startup: { args: ['startup.mjs'], quick: ['--count', '1'], minutes: 3 },
  processes: { args: ['processes.mjs'], quick: ['--seconds', '4'], minutes: 4 },
  handover: { args: ['handover.mjs'], quick: ['--count', '40'], minutes: 3 },
  overload: { args: ['overload.mjs'], quick: ['--seconds', '20'], minutes: 4 },
};

/** Runs a command; kills it, and what it started, when its time is up. */
function run(args, minutes) {
  return new Promise((resolve) => {
    const [file, ...rest] = args;
    const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...rest], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), minutes * 60_000);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      resolve(signal ? `cut off after ${minutes} minutes` : code === 0 ? undefined : `ended with code ${code}`);
    });
  });
}

/** What run.mjs measured, held against the goals. */
function workflowLines({ rows: measured }) {
  const of = (sdk, scenario) => measured.find((row) => row.sdk === sdk && row.scenario === scenario);
  const line = (what, value, unit, goal, atMost) => ({ what, figure: `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`.trim(), goal: `${atMost ? '<' : '>'} ${goal} ${unit}`.trim(), reached: (atMost ? value < goal : value > goal) ? 'reached' : 'NOT reached', note: '' });
  const lines = [];
  const one = of('ours', 'one-activity');
  const official = of('official', 'one-activity');
  if (one) {
    lines.push(line('one-activity workflow, 50 in flight', one.perSecond, 'workflows/s', 750));
    lines.push(line('CPU of engine and PostgreSQL per one-activity workflow', one.engine + one.postgres, 'ms', 1.2, true));
    if (official) lines.push(line('the same beside that of the official worker and client', (one.engine + one.postgres) / (official.worker + official.client), '', 0.2, true));
  }
  const ten = of('ours', 'ten-step');
  if (ten) {
    lines.push(line('ten-step workflow', ten.stepsPerSecond, 'steps/s', 1_900));
    lines.push(line('CPU of all processes per step', (ten.engine + ten.postgres + ten.worker + ten.client) / 10, 'ms', 1, true));
  }
  const sequential = of('ours', 'sequential');
  if (sequential) lines.push(line('one at a time, start to result, p50', sequential.p50, 'ms', 4, true));
  const signal = of('ours', 'signal');
  if (signal) lines.push(line('signal to completed, p50', signal.p50, 'ms', 4, true));
  return lines;
}

const wanted = options.only ? options.only.split(',') : Object.keys(rows);
const unknown = wanted.filter((name) => !Object.hasOwn(rows, name));
if (unknown.length > 0) throw new Error(`--only: expected some of ${Object.keys(rows).join(', ')}, got ${unknown.join(', ')}`);
const folder = mkdtempSync(join(os.tmpdir(), 'perdure-bench-'));
const lines = [];
const begin = performance.now();
try {
  for (const name of wanted) {
    const { args, quick, minutes } = rows[name];
    const json = join(folder, `${name}.json`);
    console.error(`\n== ${name}`);
    const problem = await run([...args, ...(options.quick ? quick : []), '--json', json], minutes);
    if (problem) {
      lines.push({ what: name, figure: '–', goal: '', reached: 'NOT reached', note: problem });
      continue;
    }
    const result = JSON.parse(readFileSync(json, 'utf8'));
    lines.push(...(result.lines ?? workflowLines(result)));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const missed = lines.filter((line) => line.reached === 'NOT reached').length;
const text = `${figuresTable(lines)}\n\n${lines.length} figures, ${missed} goals not reached; ${((performance.now() - begin) / 60_000).toFixed(1)} minutes, load average ${os.loadavg()[0].toFixed(1)} at the end.`;
console.log(`\n# All rows\n\n${text}`);
if (options.report) writeFileSync(options.report, `${text}\n`);
