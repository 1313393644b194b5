/** Both ways to end code that does not end by itself: the one that is used, and the one for where it does not do. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { inspectorTerminator, type Terminator, vmTerminator } from '../../../worker-sdk/sandbox/terminator.js';

const byInspector = inspectorTerminator();

test('the inspector does it here', () => {
  expect(byInspector).toBeDefined();
});

test.each<[string, Terminator]>([
  ['inspector', byInspector!],
  ['vm', vmTerminator],
])('by %s: what ends is left alone, what does not is ended, and the next is left alone again', (_name, terminate) => {
  let steps = 0;
  const step = () => {
    steps++;
  };
  expect(terminate(1000, step)).toBe(true);
  const begin = performance.now();
  expect(
    terminate(60, () => {
      step();
      for (;;);
    }),
  ).toBe(false);
  expect(performance.now() - begin).toBeGreaterThanOrEqual(55);
  expect(terminate(1000, step)).toBe(true);
  expect(steps).toBe(3);
});

test('a session that is open does not keep the process from ending', () => {
  const source = `
    const { Session } = await import('node:inspector');
    const session = new Session();
    session.connect();
    session.post('Runtime.evaluate', { expression: 'void 0', timeout: 60_000 }, () => console.log('evaluated'));
  `;
  const begin = performance.now();
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })).toBe('evaluated\n');
  expect(performance.now() - begin).toBeLessThan(30_000);
});
