// Keeps a process running until told otherwise: started again when it dies, stopped for good by a signal.
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { ROOT } from './prepare.mjs';

const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** A process that lived this long is thought to be well, and its next pause is short again. */
const WELL_AFTER_MS = 10_000;
const STOP_MS = 20_000;

/**
 * Emits `message` with what the process sends over its channel, and `ended` with a description each time it ends by itself.
 * The process has a group of its own: a Ctrl-C on the terminal reaches only who supervises, which then stops things in order.
 */
export class Supervised extends EventEmitter {
  #child;
  #stopping = false;
  #pauseMs = SHORTEST_PAUSE_MS;
  #timer;

  /**
   * @param {string} name for people
   * @param {() => { args: string[], env: Record<string, string | undefined> }} command of each start: arguments of node, and the environment
   * @param {{ giveUp?: (code: number | null) => boolean }} options exit codes after which starting again cannot help
   */
  constructor(name, command, options = {}) {
    super();
    this.name = name;
    this.command = command;
    this.options = options;
  }

  start() {
    const { args, env } = this.command();
    const startedAt = Date.now();
    const child = spawn(process.execPath, args, { cwd: ROOT, env, detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    child.on('message', (message) => this.emit('message', message));
    child.once('error', (error) => this.emit('ended', error.message));
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      if (this.#stopping) return;
      if (Date.now() - startedAt > WELL_AFTER_MS) this.#pauseMs = SHORTEST_PAUSE_MS;
      const how = signal === null ? `exit code ${code}` : signal;
      if (this.options.giveUp?.(code)) {
        this.emit('gaveUp', how, code);
        return;
      }
      this.emit('ended', how);
      this.#timer = setTimeout(() => this.start(), this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    });
    return this;
  }

  /** Resolves once it is gone: asked first, killed if it does not listen. */
  async stop() {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
  }
}
