/** Processes of a benchmark: each answers one message at a time. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atEnd, isEnding } from './ending.mjs';

/** Starts a file of this folder. `profile`: folder for its CPU profile. */
export async function startChild(file, args, { profile } = {}) {
  const execArgv = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${file}.${args[0]}.cpuprofile`] : [];
  const child = fork(fileURLToPath(new URL(`./${file}`, import.meta.url)), args, { execArgv });
  const next = () =>
    new Promise((resolve, reject) => {
      const onMessage = (message) => {
        child.off('exit', onExit);
        message.error ? reject(new Error(message.error)) : resolve(message);
      };
      const onExit = (code) => {
        child.off('message', onMessage);
        if (!isEnding()) reject(new Error(`${file} ended with code ${code}`));
      };
      child.once('message', onMessage).once('exit', onExit);
    });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const forget = atEnd(() => {
    if (!isGone()) child.kill('SIGKILL');
    return gone;
  });
  const ready = await next();
  return {
    pid: child.pid,
    ready,
    ask: (message) => {
      const answer = next();
      child.send(message);
      return answer;
    },
    async end() {
      if (!isGone()) child.send({ kind: 'end' });
      await gone;
      await forget();
    },
  };
}

/** A worker of ours and a client of ours on a queue of their own. */
export async function startPair(address, { sdk = 'ours', profile, client: clientFile = 'client.mjs', clientSdk = sdk, namespace } = {}) {
  const queue = `bench-${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
  const worker = await startChild('worker.mjs', [sdk, address, queue, '', ...(namespace ? [namespace] : [])], { profile });
  const client = await startChild(clientFile, [clientSdk, address, queue, ...(namespace ? [namespace] : [])], { profile });
  return {
    queue,
    worker,
    client,
    async end() {
      await client.end();
      await worker.end();
    },
  };
}
