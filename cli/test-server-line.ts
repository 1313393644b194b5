/**
 * The line by which SDKs start the field's time-skipping test server: `<program> <port> [--enable-time-skipping] [more flags]`.
 * A test environment that is pointed at `perdure` instead of that server gets a development server whose clock skips time.
 */
const PORT = /^\d{1,5}$/;
const UNLOCKED = '--enable-time-skipping';

/** The arguments as our own verbs take them; unchanged when they are none of a test server. */
export function readTestServerLine(args: readonly string[]): readonly string[] {
  const [port, ...flags] = args;
  if (port === undefined || !PORT.test(port)) return args;
  const state = flags.includes(UNLOCKED) ? 'unlocked' : 'locked';
  return ['server', 'start-dev', '--port', port, '--time-skipping', state, '--headless', '--log-level', 'warn', ...flags.filter((flag) => flag !== UNLOCKED)];
}
