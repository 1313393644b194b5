/** Which update's handler the calling code belongs to. */
import { AsyncLocalStorage } from './async-local-storage.js';
import type { UpdateInfo } from './interfaces.js';

const storage = new AsyncLocalStorage<UpdateInfo>();

export function runInUpdate<T>(info: UpdateInfo, fn: () => T): T {
  return storage.run(info, fn);
}

export function currentUpdate(): UpdateInfo | undefined {
  return storage.getStore();
}
