import { expect, test } from 'vitest';
import { readTestServerLine } from '../../cli/test-server-line.js';

const server = (port: string, state: string, ...more: string[]) => ['server', 'start-dev', '--port', port, '--time-skipping', state, '--headless', '--log-level', 'warn', ...more];

test('a port where a verb should be asks for a server that skips time', () => {
  expect(readTestServerLine(['7233'])).toEqual(server('7233', 'locked'));
  expect(readTestServerLine(['40001', '--enable-time-skipping'])).toEqual(server('40001', 'unlocked'));
});

test('more flags are those of the development server, and come last', () => {
  expect(readTestServerLine(['7233', '--log-level', 'error'])).toEqual(server('7233', 'locked', '--log-level', 'error'));
});

test('every other line is left as it is', () => {
  for (const line of [[], ['server', 'start-dev'], ['--help'], ['workflow', 'show', '7233'], ['123456']]) expect(readTestServerLine(line)).toEqual(line);
});
