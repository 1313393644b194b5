// Tries the SDK in a runtime: node test/runtimes/run.mjs COMMAND… (`bun`, `deno run -A --node-modules-dir=manual`, `npx -p node@22 node`). The engine runs on this Node.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const [command = process.execPath, ...args] = process.argv.slice(2);
const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const engine = spawn(process.execPath, [at('../../cli/bin/perdure.js'), 'server', 'start-dev', '--port', '0', '--headless', '--log-level', 'warn'], { stdio: ['ignore', 'pipe', 'inherit'] });
let said = '';
for await (const text of engine.stdout.setEncoding('utf8')) {
  said += text;
  if (/gRPC +\S+\n/.test(said)) break;
}
const [, address] = /gRPC +(\S+)/.exec(said) ?? [];
if (address === undefined) throw new Error(`The engine did not start: ${said}`);

spawnSync(command, [...args, '--version'], { stdio: 'inherit' });
const { status, error } = spawnSync(command, [...args, at('./probe.mjs')], { stdio: 'inherit', env: { ...process.env, PERDURE_ADDRESS: address } });
if (error) console.error(error.message);
engine.kill('SIGTERM');
await once(engine, 'exit');
process.exit(status ?? 1);
