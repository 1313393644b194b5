// The steps of CI and their sum. A step either passes, fails, or is skipped with its reason; vitest counts its tests one by one, every other step counts as one.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
const shared = join(ROOT, '..', 'shared');
const scratch = mkdtempSync(join(tmpdir(), 'perdure-ci-'));
const sum = { passed: 0, failed: 0, skipped: 0 };

const title = (text) => console.log(`\n== ${text}`);
const run = (command, args, options = {}) => spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options }).status === 0;

const count = (name, passed) => {
  sum[passed ? 'passed' : 'failed']++;
  console.log(`${name}: ${passed ? 'passed' : 'FAILED'}`);
};

const skip = (name, reason) => {
  sum.skipped++;
  console.log(`${name}: SKIPPED, ${reason}`);
};

const vitest = () => {
  title('tests');
  const report = join(scratch, 'vitest.json');
  const passed = run('npm', ['test', '--', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
  if (!existsSync(report)) return count('tests', false); // it did not even get to its report
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
  sum.passed += numPassedTests;
  sum.failed += numFailedTests;
  sum.skipped += numPendingTests + numTodoTests;
  // a file that could not be loaded has no tests to count; nor has an error outside of any test
  if (!passed && numFailedTests === 0) count(`tests (${numFailedTestSuites} files failed to load, or an error came outside of any test)`, false);
};

/** An npm script that counts as one; a status of 77 means that it cannot run here, which its own output explains. */
const script = (name) => {
  title(name);
  const status = spawnSync('npm', ['run', '--silent', name], { cwd: ROOT, stdio: 'inherit' }).status;
  if (status === 77) skip(name, 'see above');
  else count(name, status === 0);
};

/** Docker as it is here, or as the shared setup makes it. Undefined when there is none to be had. */
const dockerEnvironment = () => {
  if (spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0 && spawnSync('docker', ['pull', '-q', 'node:22-bookworm-slim'], { stdio: 'ignore' }).status === 0) return {};
  const setup = join(shared, 'containers', 'setup');
  if (!existsSync(setup) || process.getuid() !== 0) return undefined;
  const made = spawnSync('bash', ['-c', `out=$("${setup}") && eval "$out" && echo "$DOCKER_HOST"`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  return made.status === 0 ? { DOCKER_HOST: made.stdout.trim().split('\n').pop() } : undefined;
};

const compose = () => {
  title('test:compose');
  const environment = dockerEnvironment();
  if (environment === undefined) skip('test:compose', 'there is no Docker daemon that reaches an image registry, and no ../shared/containers/setup (or not root)');
  else count('test:compose', run('npm', ['run', '--silent', 'test:compose'], { env: { ...process.env, ...environment } }));
};

title('check');
count('check', run('npm', ['run', '--silent', 'check', '--', 'types', 'lint', 'imports', 'cycles', 'unused', 'lock', 'sizes']));
vitest();
if (scripts.golden === undefined || !existsSync(join(shared, 'golden'))) skip('golden', scripts.golden === undefined ? 'there is no script of that name yet' : '../shared/golden is not there');
else script('golden');
if (scripts['test:clients'] === undefined) skip('test:clients', 'there is no script of that name yet');
else script('test:clients');
compose();

rmSync(scratch, { recursive: true, force: true });
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exit(sum.failed === 0 ? 0 : 1);
