// Official SDKs of other languages against the engine: agent-like workflows of ours, run by their workers and clients.
// What they need is installed into a folder outside of the tree and kept there. A language that is not on this machine is named, and the rest runs.
// Exit code 77: there is no language here to test with.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const kept = process.env.PERDURE_CLIENTS_DIR ?? join(tmpdir(), `perdure-clients-${process.getuid?.() ?? 0}`);
const PYTHON_SDK = 'temporalio==1.35.0';

const answers = (command, ...args) => spawnSync(command, args, { encoding: 'utf8' });

/** Runs a command; its output is shown when it fails. */
const must = (what, command, args, options = {}) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status === 0) return;
  console.error(`${what} failed:\n${stdout}\n${stderr}`);
  process.exit(1);
};

const python = () => {
  const { status, stdout } = answers('python3', '-c', 'import sys; print(sys.version_info >= (3, 10))');
  if (status !== 0 || stdout.trim() !== 'True') return console.log('python: not tested, there is no python3 of 3.10 or newer on this machine');
  const environment = join(kept, `python-${PYTHON_SDK.replace('==', '-')}`);
  const interpreter = join(environment, 'bin', 'python');
  if (!existsSync(join(environment, 'installed'))) {
    must('making a Python environment', 'python3', ['-m', 'venv', environment]);
    must('installing the Python SDK', interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PYTHON_SDK]);
    mkdirSync(join(environment, 'installed'));
  }
  return { name: 'python', command: interpreter, args: [join(here, 'python', 'agent_workflows.py')], cwd: environment };
};

/** The same SDK's test environment, which starts an engine of its own and skips time. */
const pythonTesting = (python) =>
  python && { ...python, name: 'python test environment', args: [join(here, 'python', 'time_skipping.py'), join(root, 'cli', 'bin', 'perdure.js')] };

const go = () => {
  if (answers('go', 'version').status !== 0) return console.log('go: not tested, there is no Go on this machine');
  const folder = join(kept, 'go');
  mkdirSync(folder, { recursive: true });
  for (const file of ['main.go', 'go.mod']) cpSync(join(here, 'go', file), join(folder, file));
  must('fetching the Go SDK', 'go', ['mod', 'tidy'], { cwd: folder });
  must('building the Go client', 'go', ['build', '-o', 'clients', '.'], { cwd: folder });
  return { name: 'go', command: join(folder, 'clients'), args: [], cwd: folder };
};

const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** An engine of its own, and what ends it. */
const startEngine = async () => {
  const port = await freePort();
  const args = [join(root, 'cli', 'bin', 'perdure.js'), 'server', 'start-dev', '--port', String(port), '--headless', '--log-level', 'warn'];
  const engine = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    let said = '';
    engine.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
      if (said.includes('Database')) resolve();
    });
    engine.once('exit', (code) => reject(new Error(`the engine ended with code ${code}`)));
  });
  return { address: `127.0.0.1:${port}`, stop: () => new Promise((resolve) => engine.once('exit', resolve) && engine.kill('SIGTERM')) };
};

const run = ({ command, args, cwd }, address) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: 'inherit', env: { ...process.env, PERDURE_ADDRESS: address } });
    const late = setTimeout(() => child.kill('SIGKILL'), 300_000);
    child.once('error', () => resolve(1));
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      if (signal) console.log(`ended by ${signal}`);
      resolve(code ?? 1);
    });
  });

mkdirSync(kept, { recursive: true });
const withPython = python();
const languages = [withPython, pythonTesting(withPython), go()].filter(Boolean);
if (languages.length === 0) process.exit(77);
const engine = await startEngine();
let failed = 0;
for (const language of languages) {
  const code = await run(language, engine.address);
  console.log(`${language.name}: ${code === 0 ? 'passed' : `FAILED (exit code ${code})`}`);
  if (code !== 0) failed++;
}
await engine.stop();
process.exit(failed === 0 ? 0 : 1);
