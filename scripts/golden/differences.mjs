// test/golden-differences.md: the scenarios in which this server is known to differ from the reference, each with its reason.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../prepare.mjs';

export const LIST = 'test/golden-differences.md';
const PATH = join(ROOT, LIST);

export const MEANT = 'meant';
export const NOT_YET = 'not yet';

const INTRODUCTION = `# Where Perdure differs from the reference server

\`npm run golden\` runs the scenarios of \`../shared/golden\` against this server and fails when one differs that is not listed here.
\`npm run golden -- --update\` rewrites the list: reasons stay, what agrees by now goes, what is new comes in without a reason, which is yours to write.
`;

const SECTIONS = {
  [MEANT]: '## Meant\n\nOurs is better for a user, for the reason given.\n',
  [NOT_YET]: '## Not yet\n',
};

/** Scenario to {kind, reason}. */
export const readDifferences = () => {
  const listed = new Map();
  if (!existsSync(PATH)) return listed;
  let kind;
  for (const line of readFileSync(PATH, 'utf8').split('\n')) {
    if (line.startsWith('## ')) kind = line.slice(3).trim().toLowerCase();
    const [, scenario, reason = ''] = /^\| ([\w-]+\/[^ |]+) \| (.*?) ?\|$/.exec(line) ?? [];
    if (scenario) listed.set(scenario, { kind, reason });
  }
  return listed;
};

const table = (listed, kind) => {
  const rows = [...listed].filter(([, entry]) => entry.kind === kind).sort(([a], [b]) => (a < b ? -1 : 1));
  if (rows.length === 0) return 'None.\n';
  return ['| scenario | reason |', '| --- | --- |', ...rows.map(([scenario, { reason }]) => `| ${scenario} | ${reason} |`), ''].join('\n');
};

export const writeDifferences = (listed) => {
  const sections = [MEANT, NOT_YET].map((kind) => `${SECTIONS[kind]}\n${table(listed, kind)}`);
  writeFileSync(PATH, `${INTRODUCTION}\n${sections.join('\n')}`);
};

/** The list as it is after a run of some scenarios, of which these differ: others keep their place. */
export const updated = (listed, ran, differing) => {
  const next = new Map([...listed].filter(([scenario]) => !ran.has(scenario) || differing.has(scenario)));
  for (const scenario of differing) if (!next.has(scenario)) next.set(scenario, { kind: NOT_YET, reason: '' });
  return next;
};
