/** The `perdure` command: parses the line, runs the verb, turns a failure into one line and an exit code. */
import { CommanderError } from 'commander';
import { UserError } from './errors.js';
import { createProgram } from './program.js';
import { readTestServerLine } from './test-server-line.js';

/** Where 1 says that it did not work. */
const WRONG_USAGE = 2;

try {
  await createProgram().parseAsync(readTestServerLine(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  process.exitCode = exitCodeFor(error);
}

function exitCodeFor(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE; // commander has said what is wrong
  if (error instanceof UserError) {
    process.stderr.write(`perdure: ${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(`perdure: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 70; // a defect of ours, as sysexits calls it
}
