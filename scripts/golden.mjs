// `npm run golden`: holds this server against the recorded answers of the reference server, and fails when a scenario differs that
// test/golden-differences.md does not list.
//   --only REGEXP   only scenarios whose theme/name matches       --par N       so many at a time (default 8)
//   --address A     a server that runs already                    --verbose     show how listed scenarios differ, too
//   --update        rewrite the list, keeping its reasons         --no-build    the build is up to date
//   --no-record     compare what was recorded last
// Exit code: 0 agreed, 1 did not, 77 ../shared/golden is not on this machine.
import { existsSync } from 'node:fs';
import { LIST, MEANT, NOT_YET, readDifferences, updated, writeDifferences } from './golden/differences.mjs';
import { startEngine } from './golden/engine.mjs';
import { clearRecording, compare, exactly, prepareKit, record, referenceScenarios, SHARED } from './golden/kit.mjs';
import { build, install, quietly, requireNode } from './prepare.mjs';

const args = process.argv.slice(2);
const flag = (name) => args.includes(`--${name}`);
const option = (name, otherwise = undefined) => (flag(name) ? args[args.indexOf(`--${name}`) + 1] : otherwise);
const only = option('only', '.');
const parallel = Number(option('par', 8));
const PROGRESS_EVERY_MS = 10_000;
/** When more than this differ, it is not the timing. */
const AGAIN_MAX = 40;

/** Records, saying now and then how far it is. */
const recordWithProgress = async (what, options, count) => {
  let done = 0;
  const timer = setInterval(() => console.log(`  ${what}: ${done} of ${count} scenarios …`), PROGRESS_EVERY_MS);
  try {
    return await record({ ...options, onProgress: () => done++ });
  } finally {
    clearInterval(timer);
  }
};

/** One run, then a second one of what differs unexpectedly, one at a time: timing on a busy machine is not behaviour. */
const recordAndCompare = async (address, scenarios, listed) => {
  if (!address) return { ...compare(scenarios), failures: new Map() };
  clearRecording();
  const failures = await recordWithProgress('recording', { address, only, parallel }, scenarios.size);
  const first = compare(scenarios);
  const again = [...first.differing.keys()].filter((scenario) => scenarios.get(scenario).racy || !listed.has(scenario));
  if (again.length === 0 || again.length > AGAIN_MAX) return { ...first, failures };
  console.log(`  ${again.length} differ that are not listed, or depend on timing: once more, one at a time`);
  for (const scenario of again) failures.delete(scenario);
  const later = await recordWithProgress('once more', { address, only: exactly(again), parallel: 1 }, again.length);
  for (const [scenario, why] of later) failures.set(scenario, why);
  return { ...compare(scenarios), failures };
};

const COLUMNS = ['theme', 'scenarios', 'same', MEANT, NOT_YET, 'new', 'racy'];

const printThemes = (scenarios, stateOf) => {
  const themes = new Map();
  for (const scenario of scenarios.keys()) {
    for (const theme of [scenario.split('/')[0], 'all']) {
      const row = themes.get(theme) ?? Object.fromEntries(COLUMNS.slice(1).map((column) => [column, 0]));
      row.scenarios++;
      row[stateOf(scenario)]++;
      themes.set(theme, row);
    }
  }
  const all = themes.get('all');
  themes.delete('all');
  const line = (cells) => console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(20) : String(cell).padStart(10))).join(''));
  line(COLUMNS);
  for (const [theme, row] of [...themes].sort().concat([['all', all]])) line([theme, ...COLUMNS.slice(1).map((column) => row[column])]);
};

const report = (scenarios, listed, { differing, figures, failures }) => {
  const stateOf = (scenario) => {
    if (!differing.has(scenario)) return 'same';
    return listed.get(scenario)?.kind ?? (scenarios.get(scenario).racy ? 'racy' : 'new');
  };
  for (const [scenario, lines] of differing) {
    const state = stateOf(scenario);
    if (state !== 'new' && state !== 'racy' && !flag('verbose')) continue;
    console.log(`\n${state.padEnd(8)} ${scenario}${failures.has(scenario) ? `   did not get to its end: ${failures.get(scenario)}` : ''}`);
    for (const line of lines) console.log(line);
  }
  console.log('');
  printThemes(scenarios, stateOf);
  console.log(figures);
  const fresh = [...differing.keys()].filter((scenario) => stateOf(scenario) === 'new');
  const agreed = [...listed.keys()].filter((scenario) => scenarios.has(scenario) && !differing.has(scenario));
  if (agreed.length > 0) console.log(`agree by now, and can leave ${LIST} (--update): ${agreed.join(' ')}`);
  if (fresh.length > 0) console.log(`${fresh.length} differ and are not listed in ${LIST}: ${fresh.join(' ')}`);
  return fresh.length === 0;
};

requireNode();
if (!existsSync(SHARED)) {
  console.log('golden: ../shared/golden is not on this machine; there is nothing to hold the server against.');
  process.exit(77);
}
await install();
if (!flag('no-build') && !flag('address') && !flag('no-record')) await build();
await prepareKit(quietly);
const scenarios = referenceScenarios(only);
const listed = readDifferences();
const elsewhere = { address: option('address'), stop: async () => {}, hasEnded: () => false };
const engine = flag('address') || flag('no-record') ? elsewhere : await startEngine();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
let agreed = false;
try {
  const outcome = await recordAndCompare(engine.address, scenarios, listed);
  agreed = report(scenarios, listed, outcome);
  if (flag('update')) {
    const wanted = [...outcome.differing.keys()].filter((scenario) => listed.has(scenario) || !scenarios.get(scenario).racy);
    writeDifferences(updated(listed, scenarios, new Set(wanted)));
    console.log(`${LIST} is rewritten`);
  }
  if (engine.hasEnded()) {
    agreed = false;
    console.log(`the engine ended during the run; its log is ${engine.log}`);
  }
} finally {
  await engine.stop();
}
process.exit(agreed ? 0 : 1);
