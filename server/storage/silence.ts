/**
 * Notices a network that says nothing any more (a cable, a firewall, a host that lost its power) long before statements run into their deadline. A statement
 * may take its time; but when nothing at all has come from the database for a while, whether it is there is asked by the first words of its protocol on a
 * connection of their own, which it answers whatever it is busy with.
 */
import { connect } from 'node:net';

/** Nothing was heard for so long, with statements under way: time to ask. */
const SILENT_MS = 3_000;
/** So long may the answer take. */
const ANSWER_MS = 3_000;
/** It was there, and merely takes its time: asked again after so long. */
const ASK_AGAIN_MS = 10_000;
const LOOK_MS = 1_000;

/** "May we use TLS?", which is answered with one letter before anything else. */
const HELLO = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

export interface SilenceOptions {
  readonly host: string;
  readonly port: number;
  /** Called when the database cannot be heard: what waits for it waits in vain. */
  readonly onSilent: () => void;
  /** Times of a test. */
  readonly silentMs?: number;
  readonly answerMs?: number;
}

export class Silence {
  private underWay = 0;
  private heardMs = 0;
  private askedMs = Number.NEGATIVE_INFINITY;
  private asking = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SilenceOptions) {}

  /** A statement goes out. */
  asked(): void {
    if (this.underWay++ > 0) return;
    this.heardMs = performance.now();
    // looked at from time to time and not by statement, as most take a millisecond
    this.timer ??= setInterval(() => this.look(), Math.min(LOOK_MS, this.silentMs)).unref();
  }

  /** It was answered, or given up. */
  answered(): void {
    this.underWay--;
    this.heardMs = performance.now();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private get silentMs(): number {
    return this.options.silentMs ?? SILENT_MS;
  }

  private get isSilent(): boolean {
    return this.underWay > 0 && performance.now() - this.heardMs >= this.silentMs;
  }

  private look(): void {
    if (this.underWay === 0) this.stop();
    if (!this.isSilent || this.asking || performance.now() - this.askedMs < ASK_AGAIN_MS) return;
    this.asking = true;
    void isHeard(this.options, this.options.answerMs ?? ANSWER_MS).then((heard) => {
      this.asking = false;
      this.askedMs = heard ? performance.now() : Number.NEGATIVE_INFINITY;
      // a process that stood still hears first what has come meanwhile
      if (!heard && this.isSilent) this.options.onSilent();
    });
  }
}

/** Whether anything comes back: a letter, or that nobody is there. */
function isHeard({ host, port }: SilenceOptions, answerMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (heard: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(heard);
    };
    const timer = setTimeout(() => end(false), answerMs);
    socket.on('connect', () => socket.write(HELLO));
    socket.on('data', () => end(true));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(code !== 'ETIMEDOUT' && code !== 'EHOSTUNREACH' && code !== 'ENETUNREACH'));
    socket.on('close', () => end(true));
  });
}
