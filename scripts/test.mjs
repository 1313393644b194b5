// `npm test`: installs if needed, compiles, and runs the suite on a real PostgreSQL that it starts itself. Arguments go to vitest: `npm test -- test/platform`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, requireNode, ROOT } from './prepare.mjs';

requireNode();
await install();
await build();
const vitest = spawn(process.execPath, [join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
// an interrupt reaches vitest as well, which stops PostgreSQL; this process waits for it
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
vitest.once('close', (code) => process.exit(code ?? 1));
