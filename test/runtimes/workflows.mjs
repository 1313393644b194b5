// Workflows that ask a runtime for everything the sandbox is built on.
import { AsyncLocalStorage, condition, defineQuery, defineSignal, defineUpdate, executeChild, proxyActivities, setHandler, sleep, workflowInfo } from '@perdure/sdk/workflow';

const { greet } = proxyActivities({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });
let calls = 0;

/** What one run does to what all share, another must not see. */
export async function isolation() {
  calls += 1;
  const attempts = {
    prototype: () => { Array.prototype.leak = 1; },
    random: () => { Math.random = () => 4; },
    object: () => { Object.prototype.leak = 1; },
  };
  const changed = Object.keys(attempts).filter((name) => {
    try {
      attempts[name]();
      return true;
    } catch {
      return false;
    }
  });
  return { calls, changed, leaked: [].leak ?? null };
}

export async function ownGlobal() {
  globalThis.mine = (globalThis.mine ?? 0) + 1;
  return globalThis.mine;
}

export async function clock() {
  const before = Date.now();
  await sleep(50);
  const after = Date.now();
  for (let i = 0; i < 1e6; i++);
  return { moves: after > before, stands: after === Date.now(), starts: before >= workflowInfo().startTime.getTime(), uuid: crypto.randomUUID().length };
}

export async function network() {
  await fetch('http://127.0.0.1:1');
}

export async function forever() {
  for (;;);
}

export async function unhandled() {
  Promise.reject(new Error('nobody sees this'));
  await sleep(50);
}

export async function talk() {
  const storage = new AsyncLocalStorage();
  const heard = [];
  setHandler(defineSignal('say'), (word) => { heard.push(word); });
  setHandler(defineQuery('heard'), () => heard.length);
  setHandler(defineUpdate('add'), async (word) => {
    await sleep(1);
    return heard.push(word);
  });
  const stored = await storage.run('kept', async () => {
    await sleep(10);
    return storage.getStore();
  });
  await condition(() => heard.length >= 2);
  return { stored, heard, child: await executeChild(hello, { args: ['child'] }) };
}

export async function fails() {
  return greet('nobody');
}

export async function hello(name) {
  await sleep(10);
  return greet(name);
}
