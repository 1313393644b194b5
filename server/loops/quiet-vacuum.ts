/**
 * After a burst of work does at once what autovacuum would do at a moment of its own choosing, up to a minute later: clears away dead rows, marks pages
 * that hold no others, counts anew for the planner. So a server that has nothing to do has nothing to do.
 */
import type { Engine } from '../engine/engine.js';
import type { TableChanges } from '../storage/upkeep.js';

const LOOK_MS = 1_000;
/** Fewer transitions are not worth asking for. */
const ITEMS_MIN = 2_000;
const CHANGES_MIN = 1_000;
/** Tables of which so large a part has changed, or is dead, are looked after: sooner than autovacuum would. */
const CHANGED_PART = 0.1;
const DEAD_PART = 0.02;
/** More changes, and larger tables, are left to autovacuum: they take longer than a statement may. */
const CHANGES_MAX = 1_000_000;
const ROWS_MAX = 5_000_000;

const isWorthwhile = ({ rows, dead, changed }: TableChanges): boolean =>
  changed <= CHANGES_MAX && rows <= ROWS_MAX && (dead > CHANGES_MIN + DEAD_PART * rows || changed > CHANGES_MIN + CHANGED_PART * rows);

/** Returns how long to sleep. */
export function quietVacuum({ committer, upkeep }: Pick<Engine, 'committer' | 'upkeep'>): () => Promise<number> {
  let looked = 0;
  let seen = 0;
  return async () => {
    const { items } = committer;
    const quiet = items === seen;
    seen = items;
    if (!quiet || items - looked < ITEMS_MIN) return LOOK_MS;
    looked = items;
    for (const table of await upkeep.changes()) {
      if (committer.items !== items) return LOOK_MS; // work has begun again
      if (isWorthwhile(table)) await upkeep.vacuum(table.name);
    }
    return LOOK_MS;
  };
}
