/** Removes closed runs past their retention, the data of deleted namespaces, workers that have fallen silent, and pages of answers that nobody completed. */
import { enums } from '../core/api.js';
import { PAGES_KEPT_MS } from '../engine/completion-pages.js';
import type { Engine } from '../engine/engine.js';
import { WORKER_REMEMBERED_MS } from '../engine/worker-registry.js';

const BATCH = 200;
const SLEEP_MS = 60_000;
const DELETED = enums.NamespaceState.NAMESPACE_STATE_DELETED;

/** One batch for each namespace; returns 0 while there is more to do. In test mode nothing is too old: a test that skips a year still finds what closed before. */
export async function sweepRetentionOnce(engine: Engine): Promise<number> {
  let more = false;
  await engine.workers.removeUnseen(engine.wall.now() - WORKER_REMEMBERED_MS);
  await engine.completionPages.removeOld(engine.wall.now() - PAGES_KEPT_MS);
  for (const namespace of await engine.namespaces.all()) {
    const deleted = namespace.state === DELETED;
    if (!deleted && engine.timeSkipping) continue;
    const removed = deleted
      ? await engine.retention.removeAny(namespace.id, BATCH)
      : await engine.retention.removeClosed(namespace.id, engine.clock.now() - namespace.retentionMs, BATCH);
    if (removed === BATCH) more = true;
    else if (deleted) {
      await engine.retention.removeNamespace(namespace.id);
      engine.registry.forgetAll();
      engine.timeSkipping?.forget(namespace.id);
    }
  }
  return more ? 0 : SLEEP_MS;
}
