// The recorder and comparer of ../shared/golden, copied to where they may install packages of their own, and run from there.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../prepare.mjs';

export const SHARED = join(ROOT, '..', 'shared', 'golden');
const HOME = join(ROOT, '.perdure', 'golden');
const KIT = join(HOME, 'kit');
const RECORDING = join(HOME, 'recording');
const EXPECTED = join(HOME, 'expected');

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** A fresh copy of the scripts; packages are installed only when what is asked for has changed. */
export const prepareKit = (quietly) => {
  mkdirSync(KIT, { recursive: true });
  for (const name of ['scenarios', 'package.json']) {
    rmSync(join(KIT, name), { recursive: true, force: true });
    cpSync(join(SHARED, name), join(KIT, name), { recursive: true });
  }
  const wanted = createHash('sha256')
    .update(readFileSync(join(KIT, 'package.json')))
    .digest('hex');
  const stamp = join(KIT, 'node_modules', '.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return undefined;
  return quietly("installing the recorder's packages", 'npm', [
    'install',
    '--prefix',
    KIT,
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
  ]).then(() => writeFileSync(stamp, wanted));
};

/** Starts from nothing: what an earlier recording left would count as this one's. */
export const clearRecording = () => rmSync(RECORDING, { recursive: true, force: true });

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** A regular expression, as the recorder takes it, for exactly these scenarios. */
export const exactly = (scenarios) => `^(${scenarios.map(escaped).join('|')})$`;

/** Runs the scenarios against an address. Returns what went wrong in scenarios that did not get to their end, by scenario. */
export const record = async ({ address, only = '.', parallel = 8, onProgress = () => {} }) => {
  // a call that a scenario does not wait for may fail after the scenario has, which must not end the others
  const lenient = '--unhandled-rejections=warn';
  const args = [lenient, join(KIT, 'scenarios', 'record.mjs'), address, RECORDING, '--only', only, '--par', String(parallel)];
  const child = spawn(process.execPath, args, { cwd: KIT, stdio: ['ignore', 'pipe', 'pipe'] });
  let rest = '';
  let output = '';
  const failures = new Map();
  const line = (text) => {
    const [, outcome, scenario, why = ''] = /^(ok|FAIL)\s+(\S+)\s+\d+ms\s*(.*)$/.exec(text) ?? [];
    if (!scenario) return;
    if (outcome === 'FAIL') failures.set(scenario, why.split(' | ')[0]);
    onProgress(scenario);
  };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(line);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the recorder ended with ${code}:\n${output.slice(-4000)}`);
  return failures;
};

/** The scenarios that the reference recording has and that the expression selects; those marked racy depend on timing. */
export const referenceScenarios = (only = '.') => {
  const selected = readJson(join(SHARED, 'out', 'results.json')).filter(({ key }) => new RegExp(only).test(key));
  return new Map(selected.map(({ key, files, racy }) => [key, { files, racy: Boolean(racy) }]));
};

/** The reference's files of these scenarios alone, for a comparison of a part. */
const selectReference = (scenarios) => {
  rmSync(EXPECTED, { recursive: true, force: true });
  mkdirSync(EXPECTED, { recursive: true });
  for (const { files } of scenarios.values()) {
    for (const file of files) {
      mkdirSync(dirname(join(EXPECTED, file)), { recursive: true });
      cpSync(join(SHARED, 'out', file), join(EXPECTED, file));
    }
  }
  const results = readJson(join(SHARED, 'out', 'results.json')).filter(({ key }) => scenarios.has(key));
  writeFileSync(join(EXPECTED, 'results.json'), JSON.stringify(results));
};

/** Compares the recording with the reference. Returns the differing scenarios with the lines that say how. */
export const compare = (scenarios) => {
  selectReference(scenarios);
  const { stdout, stderr } = spawnSync(process.execPath, [join(KIT, 'scenarios', 'compare.mjs'), EXPECTED, RECORDING, '--max', '20'], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (!/^\d+ same, \d+ differ$/m.test(stdout)) throw new Error(`the comparer failed:\n${stderr || stdout}`);
  const differing = new Map();
  let at;
  for (const line of stdout.split('\n')) {
    const found = /^(?:differs|racy)\s+(\S+) \(/.exec(line);
    if (found) {
      at = found[1];
      differing.set(at, []);
    }
    if (!found && at && line.startsWith('   ')) differing.get(at).push(line.trimEnd());
  }
  const figures = /^files: .*$/m.exec(stdout)?.[0] ?? '';
  return { differing, figures };
};
