// `npm run chaos -- --seconds 300`: the long form of the tests in test/chaos. Bounded: nodes under load and trouble go on for that long, and a report ends it;
// then the engine dies at each crash point. `npm test` runs the short form.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, install, requireNode, ROOT } from './prepare.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '300' } } });
if (!/^[1-9]\d*$/.test(values.seconds)) {
  console.error(`chaos: --seconds: expected a whole number, got ${JSON.stringify(values.seconds)}`);
  process.exit(2);
}
requireNode();
await install();
await build();
const vitest = spawn(process.execPath, [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--no-file-parallelism', 'test/chaos'], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, CHAOS_SECONDS: values.seconds },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
vitest.once('close', (code) => process.exit(code ?? 1));
