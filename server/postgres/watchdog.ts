/**
 * The parent of an embedded PostgreSQL: a shell of a few kilobytes that outlives this process by moments only. It holds one end of a pipe whose other end
 * this process holds; when that closes, however this process ended, it stops PostgreSQL and removes what was not meant to last.
 * While the pipe is open it starts PostgreSQL again whenever that dies. It has a session of its own, so that a Ctrl-C meant for this process leaves it alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Account } from './account.js';

/** Begins the lines that the watchdog itself says, among those of PostgreSQL. */
export const WATCHDOG = 'watchdog: ';

/**
 * $STOP: the signal that stops PostgreSQL; $TEMPLATE and $DATA: copy the one to the other first; $REMOVE: folder to remove at the end; $REMOVE_EMPTY: a socket's folder outside the cluster; "$@": PostgreSQL and its arguments.
 * A reader waits for the end of the pipe and tells the main loop by SIGUSR1; `wait` returns early when that comes, hence the inner loop.
 */
const SCRIPT = `
exec 3<&0 </dev/null
stopping= pg=
trap 'stopping=1; [ -z "$pg" ] || kill -s "$STOP" "$pg" 2>/dev/null' USR1
( while read -r line; do :; done <&3; kill -s USR1 $$ ) &
reader=$!
exec 3<&-
if [ -n "$TEMPLATE" ] && [ ! -d "$DATA" ]; then
  cp -Rp "$TEMPLATE" "$DATA.copy" && mv "$DATA.copy" "$DATA" || { echo "${WATCHDOG}could not copy $TEMPLATE to $DATA"; stopping=1; }
fi
while [ -z "$stopping" ]; do
  [ ! -e "$SOCKET_LOCK" ] || rm -f "$SOCKET_LOCK"
  "$@" &
  pg=$!
  [ -z "$stopping" ] || kill -s "$STOP" "$pg" 2>/dev/null
  wait "$pg"; code=$?
  while kill -0 "$pg" 2>/dev/null; do wait "$pg"; code=$?; done
  pg=
  [ -n "$stopping" ] && break
  echo "${WATCHDOG}postgres ended with $code"
  sleep 0.5 || sleep 1
done
kill "$reader" 2>/dev/null
[ -z "$REMOVE" ] || rm -rf "$REMOVE"
[ -z "$REMOVE_EMPTY" ] || rmdir "$REMOVE_EMPTY" 2>/dev/null
`;

export interface WatchdogOptions {
  readonly account: Account | undefined;
  readonly postgres: string;
  readonly args: readonly string[];
  readonly dataDirectory: string;
  readonly socketFolder: string;
  /** For a cluster that does not last: what it is copied from, and what to remove at its end. */
  readonly ephemeral: { readonly template: string; readonly folder: string } | undefined;
  readonly onLine: (line: string) => void;
  readonly onExit: () => void;
}

export const startWatchdog = (options: WatchdogOptions): ChildProcess => {
  const { account, ephemeral } = options;
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', options.postgres, ...options.args], {
    ...(account && { uid: account.uid, gid: account.gid }),
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', DATA: options.dataDirectory, SOCKET_LOCK: `${options.socketFolder}/.s.PGSQL.5432.lock`,
      // a lasting cluster is stopped fast, which writes everything out; one that goes away need not
      STOP: ephemeral === undefined ? 'INT' : 'QUIT', TEMPLATE: ephemeral?.template ?? '', REMOVE: ephemeral?.folder ?? '',
      REMOVE_EMPTY: ephemeral === undefined && !options.socketFolder.startsWith(dirname(options.dataDirectory)) ? options.socketFolder : '',
    },
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', options.onLine);
  child.stdin.on('error', () => undefined); // it is gone, which `exit` tells
  child.on('error', options.onExit);
  child.on('exit', options.onExit);
  return child;
};
