/** One node on a database of its own, for a file of tests (or the `describe` it is called in). */
import { afterAll, beforeAll } from 'vitest';
import { EngineNode } from './engine-node.js';
import { useDatabase } from './postgres.js';

/** `ready` is told of the node before the first test. Returns the database. */
export function useNode(ready: (node: EngineNode) => void): ReturnType<typeof useDatabase> {
  const database = useDatabase();
  let node: EngineNode;
  beforeAll(async () => {
    node = new EngineNode(database.url);
    ready(node);
    await node.addNamespace('default');
  });
  afterAll(() => node.close());
  return database;
}
