/** The `perdure` command as a process of its own, for tests of what a user runs. Uses the compiled CLI. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { until } from './until.js';

const PERDURE = fileURLToPath(new URL('../../cli/bin/perdure.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test's own environment must not lend to the process. */
const cleanEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== 'DATABASE_URL' && !name.startsWith('PERDURE_') && !name.startsWith('PG')),
  );

/** One running `perdure`, with all it said so far. */
export class Perdure {
  stdout = '';
  stderr = '';
  private readonly ended: Promise<number | null>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  /** Waits for a line on standard output or in the log, and returns the match. */
  said(pattern: RegExp, limitMs?: number): Promise<RegExpExecArray> {
    return until(`"${pattern.source}" in the output`, () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr), limitMs).catch(
      (error: Error) => {
        throw new Error(`${error.message} It said:\n${this.stdout}${this.stderr}`);
      },
    );
  }

  /** `host:port` of its gRPC port, once it serves. */
  async grpcAddress(): Promise<string> {
    return (await this.said(/gRPC +(\S+)/, 30_000))[1] ?? '';
  }

  /** `http://host:port`, once it serves. */
  async httpUrl(): Promise<string> {
    return (await this.said(/HTTP +(http:\S+)/, 30_000))[1] ?? '';
  }

  async finished(): Promise<Finished> {
    return { code: await this.ended, stdout: this.stdout, stderr: this.stderr };
  }

  async kill(signal: NodeJS.Signals): Promise<Finished> {
    this.child.kill(signal);
    return this.finished();
  }
}

const running = new Set<Perdure>();

/** Starts `perdure`; whatever still runs after the test is killed. */
export const perdure = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Perdure => {
  const started = new Perdure(
    spawn(process.execPath, [PERDURE, ...args], { env: { ...cleanEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  running.add(started);
  void started.finished().then(() => running.delete(started));
  return started;
};

/** Runs `perdure` to its end. */
export const run = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Finished> => perdure(args, env).finished();

/** To be called in a test file that starts processes. */
export const killAfterEach = (): void => {
  afterEach(async () => {
    await Promise.all([...running].map((one) => one.kill('SIGKILL')));
  });
};
